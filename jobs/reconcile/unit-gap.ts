import type { Meter } from './bill.ts'
import { addPart, ANY_MODEL, gapOf, explainedOf, type CellGrid } from './cells.ts'
import type { Group } from './working.ts'

/** Units that missing calls may have used beyond their average, in standard errors. */
const SIGMAS = 4
/** Fewer missing calls than this are none. */
const HALF_CALL = 0.5

/** Calls that the bill has more of a group in a bucket. */
export type MissingCalls = { bucket: number; group: Group; calls: number; variancePico: number }

/**
 * Searches and other pieces. Calls that one side lacks had theirs too; only what these do not
 * account for is a charge of its own.
 */
export const assignUnits = (grid: CellGrid, missing: readonly MissingCalls[]): void => {
  for (const cell of grid.cells.values()) {
    if (!cell.meter.startsWith('unit:')) continue
    const groups = missing.filter(
      ({ bucket, group }) =>
        bucket === cell.bucket && (cell.model === ANY_MODEL || group.model === cell.model)
    )
    const rest = gapOf(cell) - explainedOf(cell)
    const ofCalls = within(Number(rest), expected(groups, cell.meter))
    if (ofCalls === 0) continue
    addPart(cell, ofCalls > 0 ? 'unseen_calls' : 'unbilled_calls', BigInt(Math.round(ofCalls)))
  }
}

type Expected = { mean: number; error: number; most: number }

/** What the missing calls' units cost: on average, give or take, and one call at most. */
const expected = (groups: readonly { group: Group; calls: number }[], meter: Meter): Expected => {
  let [mean, variance, most] = [0, 0, 0]
  for (const { group, calls } of groups) {
    const costs = group.calls.map(({ unitsPico }) => Number(unitsPico[meter] ?? 0n))
    const n = Math.max(costs.length, 1)
    mean += (calls * costs.reduce((sum, cost) => sum + cost, 0)) / n
    variance += (Math.abs(calls) * costs.reduce((sum, cost) => sum + cost ** 2, 0)) / n
    if (Math.abs(calls) > HALF_CALL)
      most = costs.reduce((left, right) => Math.max(left, right), most)
  }
  return { mean, error: Math.sqrt(variance), most }
}

/** All of the rest when missing calls may have cost that much, else what they cost on average. */
const within = (rest: number, { mean, error, most }: Expected): number => {
  const isSameSide = Math.sign(rest) === Math.sign(mean)
  if (isSameSide && Math.abs(rest) <= Math.abs(mean) + SIGMAS * error + most) return rest
  return rest === 0 || Math.abs(rest - mean) <= SIGMAS * error ? 0 : mean
}
