import { chargedOnce } from './cells.ts'
import { groupBy, type Working } from './working.ts'

/**
 * The unit price behind amounts that come without quantities. Tokens are whole numbers, so an
 * amount at price p is a multiple of p: list price is recognised by division, a changed price by
 * round factors of it or by the greatest common divisor of several days' amounts. Some amounts are
 * multiples of both; prices change once, so their neighbours decide.
 */

/** Division proves nothing unless the rounding is this much finer than the price. */
const POWER_MIN = 20n
/** Implied tokens farther from ours than this factor mean that the divisor is not the price. */
const PLAUSIBLE = 3
/** Factors of the list price that are tried, in thousandths: price changes are round numbers. */
const FACTORS_PERMILLE = { min: 100, max: 4000 }
const FACTORS = Array.from(
  { length: FACTORS_PERMILLE.max - FACTORS_PERMILLE.min + 1 },
  (_, index) => (FACTORS_PERMILLE.min + index) / 1000
)
/** Multiples of the true price that a common divisor may be. */
const MULTIPLE_MAX = 60
/** Tokens implied by a true price are off ours by about this, as a logarithm. */
const OFF_SIGMA = 0.15
/** Tokens that agree to this are the same tokens: strong evidence for the factor that says so. */
const EXACT_OFF = 1e-9
const EXACT_BONUS = 10
/** A provider that raises one price raises the others of the model alike: as good as exact tokens. */
const SHARED_BONUS = EXACT_BONUS

type Series = readonly Working[]

const remainder = (amount: bigint, price: bigint): bigint => {
  const rest = ((amount % price) + price) % price
  return rest * 2n > price ? price - rest : rest
}

const amountOf = ({ cell }: Working): bigint => chargedOnce(cell)

const divides = (working: Working, price: bigint): boolean =>
  amountOf(working) === 0n ||
  (price > 0n && remainder(amountOf(working), price) <= working.cell.roundingPico)

const whole = ({ price }: Working): bigint | null =>
  price !== null && price.tokens > 0n && price.pico % price.tokens === 0n
    ? price.pico / price.tokens
    : null

/** What is known beside the amounts. */
type Known = {
  /** Factors that other classes of the model have. */
  shared: ReadonlySet<number>
  /** Tokens by bucket that other meters of the class lack on the bill, and so may stand here. */
  came: ReadonlyMap<number, number>
}

/** Sets implied tokens of one class over all tiers and days; false when amounts prove nothing. */
export const impliedByDivision = (
  series: Series,
  shared: ReadonlySet<number>,
  came: ReadonlyMap<number, number> = new Map()
): boolean => {
  if (!series.every(isFine)) return false
  const { days, isListed, changed } = changedDays(series)
  const factor = changed.length === 0 ? 1 : (priceFactor(changed, { shared, came })?.factor ?? null)
  if (factor === null) return false
  const isChanged = factor === 1 ? [] : oneChange(days, { isListed, factor, came })
  days.forEach((day, index) => {
    for (const working of day) setTokens(working, isChanged[index] === true ? factor : 1)
  })
  return true
}

/**
 * The same for the meters of a class, each with a price of its own. Those at list price go first:
 * what they lack went to the others.
 * @returns meters whose amounts prove nothing.
 */
export const impliedByMeter = (kin: Series, shared: ReadonlySet<number>): Series[] => {
  const meters = [...groupBy(kin, ({ cell }) => cell.meter).values()]
  const isListed = (series: Series): boolean => changedDays(series).changed.length === 0
  const came = new Map<number, number>()
  return [...meters.filter(isListed), ...meters.filter((series) => !isListed(series))].filter(
    (series) => {
      if (!impliedByDivision(series, shared, came)) return true
      for (const { cell, tokens, billed } of series) {
        came.set(cell.bucket, (came.get(cell.bucket) ?? 0) + tokens - (billed ?? 0))
      }
      return false
    }
  )
}

/** The factor of list price that gives a class exactly our tokens; null when there is none. */
export const exactFactor = (series: Series): number | null => {
  if (!series.every(isFine)) return null
  const { changed } = changedDays(series)
  const found =
    changed.length === 0 ? null : priceFactor(changed, { shared: new Set(), came: new Map() })
  return found !== null && found.off < EXACT_OFF ? found.factor : null
}

/** Days in order; those with an amount that is no multiple of list price have changed. */
const changedDays = (series: Series): { days: Series[]; isListed: boolean[]; changed: Series } => {
  const days = [...groupBy(series, ({ cell }) => cell.bucket)]
    .toSorted(([left], [right]) => left - right)
    .map(([, workings]) => workings)
  const isListed = days.map((day) => day.every((working) => divides(working, listOf(working))))
  return { days, isListed, changed: days.filter((_, day) => !isListed[day]).flat() }
}

const listOf = (working: Working): bigint => whole(working) ?? 0n

/** List price times a factor, to the nearest pico-dollar. */
const priceAt = (working: Working, factor: number): bigint =>
  factor === 1 ? listOf(working) : BigInt(Math.round(Number(listOf(working)) * factor))

const isFine = (working: Working): boolean => {
  if (amountOf(working) === 0n) return true
  const price = whole(working)
  return price !== null && price > working.cell.roundingPico * POWER_MIN
}

type Change = { isListed: readonly boolean[]; factor: number; came: Known['came'] }

/** Which days have the other price: those in doubt go with the nearest day that is not. */
const oneChange = (days: readonly Series[], { isListed, factor, came }: Change): boolean[] => {
  const certain = days.map((day, index) => {
    if (!isListed[index]) return true
    return day.every((working) => divides(working, priceAt(working, factor))) ? null : false
  })
  return certain.map((known, index) => {
    if (known !== null) return known
    const near = certain
      .map((value, other) => ({ value, distance: Math.abs(other - index) }))
      .filter(({ value }) => value !== null)
      .toSorted((left, right) => left.distance - right.distance)
    const [first, second] = near
    const isTie = second?.distance === first?.distance && second?.value !== first?.value
    const day = days[index] ?? []
    return isTie ? offFrom(day, factor, came) < offFrom(day, 1, came) : (first?.value ?? true)
  })
}

/** How far the tokens that a factor implies are from ours, as a logarithm. */
const offFrom = (workings: Series, factor: number, came: Known['came']): number => {
  const buckets = new Set(workings.map(({ cell }) => cell.bucket))
  const others = [...buckets].reduce((sum, bucket) => sum + (came.get(bucket) ?? 0), 0)
  const ours = workings.reduce((sum, { tokens }) => sum + tokens, others)
  const implied = workings.reduce(
    (sum, working) => sum + Number(amountOf(working)) / Number(priceAt(working, factor) || 1n),
    0
  )
  return ours > 0 && implied > 0 ? Math.abs(Math.log(implied / ours)) : 0
}

const setTokens = (working: Working, factor: number): void => {
  const amount = amountOf(working)
  const price = priceAt(working, factor)
  if (price === 0n) return
  working.billed = Number((2n * amount + price) / (2n * price))
  working.slack = Number(working.cell.roundingPico) / Number(price)
}

/**
 * The factor of list price that makes every amount a whole number of tokens. Fractions of the true
 * factor do so too: that all amounts are multiples of the larger is the better evidence the more
 * amounts there are, and a factor far from our tokens is the worse.
 */
const priceFactor = (changed: Series, { shared, came }: Known): Factor | null => {
  let best: Factor | null = null
  const amounts = changed.filter((working) => amountOf(working) !== 0n)
  for (const factor of [...FACTORS, ...commonFactors(changed)]) {
    if (!changed.every((working) => divides(working, priceAt(working, factor)))) continue
    const off = offFrom(changed, factor, came)
    if (off > Math.log(PLAUSIBLE)) continue
    const score =
      amounts.length * Math.log(factor) -
      (off / OFF_SIGMA) ** 2 / 2 +
      prior(factor, off) +
      (shared.has(factor) ? SHARED_BONUS : 0)
    if (best === null || score > best.score) best = { factor, score, off }
  }
  return best
}

type Factor = { factor: number; score: number; off: number }

/** Nothing else differing is likely, and prices change by round percentages. */
const prior = (factor: number, off: number): number => {
  const permille = Math.round(factor * 1000)
  const round = permille % 50 === 0 ? 2 : permille % 10 === 0 ? 1 : 0
  return round + (off < EXACT_OFF ? EXACT_BONUS : 0)
}

const gcd = (left: bigint, right: bigint): bigint =>
  right === 0n ? left : gcd(right, left % right)

/** Factors that are not round: the greatest common divisor of a tier's amounts, and its parts. */
const commonFactors = (changed: Series): number[] => {
  if (changed.some(({ cell }) => cell.roundingPico > 1n)) return []
  const charged = changed.filter((working) => amountOf(working) !== 0n)
  const [days = []] = [...groupBy(charged, ({ cell }) => cell.tier).values()].toSorted(
    (left, right) => right.length - left.length
  )
  const [first] = days
  if (days.length < 2 || first === undefined) return []
  const divisor = days.map(amountOf).reduce(gcd, 0n)
  return Array.from(
    { length: MULTIPLE_MAX },
    (_, index) => Number(divisor) / (index + 1) / Number(listOf(first))
  ).filter((factor) => factor > FACTORS_PERMILLE.min / 1000 && factor < FACTORS_PERMILLE.max / 1000)
}
