import type { Working } from './working.ts'

/**
 * The unit price behind amounts that come without quantities. Tokens are whole numbers, so an
 * amount at price p is a multiple of p: list price is recognised by division, a changed price by
 * the greatest common divisor of several days' amounts or by trying round factors. Where the bill
 * rounds too coarsely for that, the ratio to our record over days and classes decides.
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

const divides = (working: Working, price: bigint): boolean =>
  price > 0n && remainder(amountOf(working), price) <= working.cell.roundingPico

const amountOf = ({ cell }: Working): bigint => cell.billedPico ?? 0n

const whole = ({ price }: Working): bigint | null =>
  price !== null && price.tokens > 0n && price.pico % price.tokens === 0n
    ? price.pico / price.tokens
    : null

/** Sets implied tokens of one tier and meter over all days; false when amounts prove nothing. */
export const impliedByDivision = (series: Series): boolean => {
  const prices = series.map(whole)
  const isFine = series.every((working, day) => {
    const price = prices[day] ?? null
    return price !== null && price > working.cell.roundingPico * POWER_MIN
  })
  if (!isFine) return false
  const listed = series.filter((working, day) => divides(working, prices[day] ?? 0n))
  const changed = series.filter((working) => !listed.includes(working))
  for (const working of listed) setTokens(working, whole(working) ?? 1n)
  if (changed.length === 0) return true
  const price = commonPrice(changed)
  if (price === null) return false
  for (const working of changed) setTokens(working, price)
  return true
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

/** A class that is off by more than this against the others has another price. */
const CLASS_RATIO_MIN = 0.004
/** The same ratio on every day to this precision is a price and not a loss of calls. */
const CONSTANT_RATIO = 3e-4

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((left, right) => left - right)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2
}

/**
 * For bills too coarse to divide: days share a factor (calls missing), classes share a factor
 * (price). Sets implied tokens of all series of a group.
 */
export const impliedByRatio = (all: readonly Series[]): void => {
  const ratios = all.map((series) => series.map(logRatio))
  const days = Math.max(0, ...all.map((series) => series.length))
  const byDay = Array.from({ length: days }, (_, day) =>
    median(ratios.flatMap((series) => series[day] ?? []))
  )
  const level = median(byDay)
  const spread = median(byDay.map((value) => Math.abs(value - level)))
  const isUniform = days > 2 && spread < CONSTANT_RATIO && Math.abs(level) > CONSTANT_RATIO * 3
  all.forEach((series, index) => {
    const own = (ratios[index] ?? []).map((value, day) =>
      value === null ? null : value - (byDay[day] ?? 0)
    )
    const known = own.filter((value) => value !== null)
    const shift = median(known)
    const noise = median(known.map((value) => Math.abs(value - shift)))
    const isOwn =
      known.length > 2 && Math.abs(shift) > CLASS_RATIO_MIN && noise * 4 < Math.abs(shift)
    const factor = Math.exp((isOwn ? shift : 0) + (isUniform ? level : 0))
    for (const working of series) setByFactor(working, factor)
  })
}

const logRatio = (working: Working): number | null => {
  const ours =
    working.price === null
      ? 0
      : (working.tokens * Number(working.price.pico)) / Number(working.price.tokens)
  const theirs = Number(amountOf(working))
  return ours > 0 && theirs > 0 ? Math.log(theirs / ours) : null
}

const setByFactor = (working: Working, factor: number): void => {
  if (working.price === null) return
  const price = (Number(working.price.pico) / Number(working.price.tokens)) * factor
  if (price <= 0) return
  working.billed = Number(amountOf(working)) / price
  working.slack = Number(working.cell.roundingPico) / price + 1
}
