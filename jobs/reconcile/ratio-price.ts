import { chargedOnce } from './cells.ts'
import { groupBy, weightOf, type Working } from './working.ts'

/**
 * Prices behind the amounts of bills too coarse to divide, from their ratio to our record: days
 * share a factor (calls missing), meters share a factor (price). Sets the implied tokens.
 */

/** A meter that is off by more than this against the others has another price. */
const METER_RATIO_MIN = 0.004
/** The same ratio on every day to this precision is a price and not a loss of calls. */
const CONSTANT_RATIO = 3e-4
/** Fewer days show no constancy. */
const DAYS_MIN = 3

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((left, right) => left - right)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2
}

/** All open series of one group; each is one tier and meter over the days. */
export const impliedByRatio = (all: readonly (readonly Working[])[]): void => {
  const ratios = new Map(all.flat().map((working) => [working, logRatio(working)]))
  const byDay = new Map(
    [...groupBy(all.flat(), ({ cell }) => cell.bucket)].map(([day, workings]) => [
      day,
      median(workings.flatMap((working) => ratios.get(working) ?? []))
    ])
  )
  const levels = [...byDay.values()]
  const level = median(levels)
  const spread = median(levels.map((value) => Math.abs(value - level)))
  const isUniform =
    levels.length >= DAYS_MIN && spread < CONSTANT_RATIO && Math.abs(level) > CONSTANT_RATIO * 3
  const shifts = all.map((series) => shiftOf(series, { ratios, byDay }))
  all.forEach((series, index) => {
    const shift = isExchanged(all, { shifts, index }) ? 0 : (shifts[index] ?? 0)
    const factor = Math.exp(shift + (isUniform ? level : 0))
    for (const working of series) setByFactor(working, factor)
  })
}

type Ratios = {
  ratios: ReadonlyMap<Working, number | null>
  byDay: ReadonlyMap<number, number>
}

/** How far a meter is off the others of its days, as a logarithm; 0 when by chance. */
const shiftOf = (series: readonly Working[], { ratios, byDay }: Ratios): number => {
  const own = series.flatMap((working) => {
    const ratio = ratios.get(working) ?? null
    return ratio === null ? [] : [ratio - (byDay.get(working.cell.bucket) ?? 0)]
  })
  const shift = median(own)
  const noise = median(own.map((value) => Math.abs(value - shift)))
  const isOwn =
    own.length >= DAYS_MIN && Math.abs(shift) > METER_RATIO_MIN && noise * 4 < Math.abs(shift)
  return isOwn ? shift : 0
}

type Shifts = { shifts: readonly number[]; index: number }

/** Times to live that are off in opposite directions exchanged tokens and kept their prices. */
const isExchanged = (all: readonly (readonly Working[])[], { shifts, index }: Shifts): boolean => {
  const isWrite = (at: number): boolean =>
    all[at]?.[0]?.cell.meter.startsWith('in_cache_write') === true
  const own = shifts[index] ?? 0
  return isWrite(index) && shifts.some((shift, other) => isWrite(other) && shift * own < 0)
}

const amountOf = ({ cell }: Working): number => Number(chargedOnce(cell))

const logRatio = (working: Working): number | null => {
  const ours = working.tokens * weightOf(working.price)
  const theirs = amountOf(working)
  return ours > 0 && theirs > 0 ? Math.log(theirs / ours) : null
}

const setByFactor = (working: Working, factor: number): void => {
  const price = weightOf(working.price) * factor
  if (price <= 0) return
  working.billed = amountOf(working) / price
  working.slack = Number(working.cell.roundingPico) / price + 1
}
