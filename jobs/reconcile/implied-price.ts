import type { Working } from './working.ts'

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
/** Multiples of the true price that a common divisor may be. */
const MULTIPLE_MAX = 200n

type Series = readonly Working[]

const remainder = (amount: bigint, price: bigint): bigint => {
  const rest = ((amount % price) + price) % price
  return rest * 2n > price ? price - rest : rest
}

const amountOf = ({ cell }: Working): bigint => cell.billedPico ?? 0n

const divides = (working: Working, price: bigint): boolean =>
  price > 0n && remainder(amountOf(working), price) <= working.cell.roundingPico

const whole = ({ price }: Working): bigint | null =>
  price !== null && price.tokens > 0n && price.pico % price.tokens === 0n
    ? price.pico / price.tokens
    : null

/** Sets implied tokens of one tier and meter over all days; false when amounts prove nothing. */
export const impliedByDivision = (series: Series): boolean => {
  const days = series.toSorted((left, right) => left.cell.bucket - right.cell.bucket)
  if (!days.every(isFine)) return false
  const isListed = days.map((working) => divides(working, whole(working) ?? 0n))
  const changed = days.filter((_, day) => !isListed[day])
  if (changed.length === 0) {
    for (const working of days) setTokens(working, whole(working) ?? 1n)
    return true
  }
  const price = commonPrice(changed)
  if (price === null) return false
  const isChanged = oneChange(days, { isListed, price })
  days.forEach((working, day) => {
    setTokens(working, isChanged[day] === true ? price : (whole(working) ?? 1n))
  })
  return true
}

const isFine = (working: Working): boolean => {
  const price = whole(working)
  return price !== null && price > working.cell.roundingPico * POWER_MIN
}

/** Which days have the other price: those in doubt go with the nearest day that is not. */
const oneChange = (
  days: Series,
  { isListed, price }: { isListed: readonly boolean[]; price: bigint }
): boolean[] => {
  const certain = days.map((working, day) => {
    if (!isListed[day]) return true
    return divides(working, price) ? null : false
  })
  return certain.map((known, day) => {
    if (known !== null) return known
    const near = certain
      .map((value, other) => ({ value, distance: Math.abs(other - day) }))
      .filter(({ value }) => value !== null)
      .toSorted((left, right) => left.distance - right.distance)
    const [first, second] = near
    const isTie = second?.distance === first?.distance && second?.value !== first?.value
    return isTie ? isNearer(days[day], price) : (first?.value ?? true)
  })
}

/** Whether the other price implies tokens nearer to ours than list price does. */
const isNearer = (working: Working | undefined, price: bigint): boolean => {
  if (working === undefined || working.tokens === 0) return true
  const off = (unit: bigint): number =>
    Math.abs(Math.log(Number(amountOf(working)) / Number(unit) / working.tokens))
  return off(price) < off(whole(working) ?? 1n)
}

const setTokens = (working: Working, price: bigint): void => {
  const amount = amountOf(working)
  working.billed = Number((2n * amount + price) / (2n * price))
  working.slack = Number(working.cell.roundingPico) / Number(price)
}

const gcd = (left: bigint, right: bigint): bigint =>
  right === 0n ? left : gcd(right, left % right)

/** A price that all amounts are multiples of and that leaves about our tokens. */
const commonPrice = (series: Series): bigint | null => {
  const round = roundFactor(series)
  if (round !== null) return round
  if (series.length < 2 || series.some(({ cell }) => cell.roundingPico > 1n)) return null
  const divisor = series.map(amountOf).reduce(gcd, 0n)
  const expected = expectedPrice(series)
  if (divisor === 0n || expected === null) return null
  const multiple = BigInt(Math.max(1, Math.round(Number(divisor) / expected)))
  if (multiple > MULTIPLE_MAX) return null
  const price = divisor / multiple
  return price > 0n && isPlausible(price, expected) ? price : null
}

const expectedPrice = (series: Series): number | null => {
  const tokens = series.reduce((sum, working) => sum + working.tokens, 0)
  const amount = series.reduce((sum, working) => sum + Number(amountOf(working)), 0)
  return tokens > 0 ? amount / tokens : null
}

const isPlausible = (price: bigint, expected: number): boolean =>
  Number(price) < expected * PLAUSIBLE && Number(price) > expected / PLAUSIBLE

/** The round factor of list price nearest to what our tokens suggest that divides every amount. */
const roundFactor = (series: Series): bigint | null => {
  const expected = expectedPrice(series)
  const list = series[0] === undefined ? null : whole(series[0])
  if (expected === null || list === null) return null
  let best: { price: bigint; off: number } | null = null
  for (let permille = FACTORS_PERMILLE.min; permille <= FACTORS_PERMILLE.max; permille += 1) {
    const price = (list * BigInt(permille)) / 1000n
    const off = Math.abs(Math.log(Number(price) / expected))
    if (off > Math.log(PLAUSIBLE) || (best !== null && off >= best.off)) continue
    if (series.every((working) => divides(working, price))) best = { price, off }
  }
  return best?.price ?? null
}
