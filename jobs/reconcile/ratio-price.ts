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
  for (const series of all) {
    const own = series.flatMap((working) => {
      const ratio = ratios.get(working) ?? null
      return ratio === null ? [] : [ratio - (byDay.get(working.cell.bucket) ?? 0)]
    })
    const shift = median(own)
    const noise = median(own.map((value) => Math.abs(value - shift)))
    const isOwn =
      own.length >= DAYS_MIN && Math.abs(shift) > METER_RATIO_MIN && noise * 4 < Math.abs(shift)
    const factor = Math.exp((isOwn ? shift : 0) + (isUniform ? level : 0))
    for (const working of series) setByFactor(working, factor)
  }
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
