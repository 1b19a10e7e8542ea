/** False findings over months of tenants with nothing wrong, and what they say of the true rate. */
export type FalseFindings = { found: number; months: number }

/** One-sided: the true rate is above the bound for one world in twenty. */
const UNLIKELY = 0.05
const STEPS = 60

/** Chance of so many or fewer where `mean` are expected (Poisson). */
const chanceOfAtMost = (count: number, mean: number): number => {
  let term = Math.exp(-mean)
  let sum = term
  for (let k = 1; k <= count; k++) {
    term *= mean / k
    sum += term
  }
  return sum
}

/** The rate per month above which so few findings are unlikely: the exact 95 % upper bound. */
export const rateMax = ({ found, months }: FalseFindings): number => {
  let [low, high] = [found, found + 4 + 4 * Math.sqrt(found + 1)]
  for (let step = 0; step < STEPS; step++) {
    const middle = (low + high) / 2
    if (chanceOfAtMost(found, middle) > UNLIKELY) low = middle
    else high = middle
  }
  return high / months
}

const perMonth = ({ found, months }: FalseFindings): string =>
  (found / months).toFixed(found === 0 ? 0 : 4)

/** Rate, count and bound in one cell: `0.0067 (1 in 150, at most 0.0316)`. */
export const falseText = (one: FalseFindings): string =>
  `${perMonth(one)} (${one.found} in ${Math.round(one.months)}, at most ${rateMax(one).toFixed(4)})`

/** Of rules, which are false so often that no bound is of interest. */
export const ruleText = (one: FalseFindings): string =>
  `${perMonth(one)} (in ${Math.round(one.months)})`
