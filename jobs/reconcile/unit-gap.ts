import type { Meter } from './bill.ts'
import { addPart, ANY_MODEL, gapOf, explainedOf, type CellGrid } from './cells.ts'
import type { Group } from './working.ts'

/** Units that missing calls may have used beyond their average, in standard errors. */
const SIGMAS = 4

/** Calls that the bill has more of a group in a bucket. */
export type MissingCalls = { bucket: number; group: Group; calls: number }

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
    const { mean, error } = expected(groups, cell.meter)
    const ofCalls = within(Number(rest), mean, error)
    if (ofCalls === 0) continue
    addPart(cell, ofCalls > 0 ? 'unseen_calls' : 'unbilled_calls', BigInt(Math.round(ofCalls)))
  }
}

type Expected = { mean: number; error: number }

const expected = (groups: readonly { group: Group; calls: number }[], meter: Meter): Expected => {
  let mean = 0
  let variance = 0
  for (const { group, calls } of groups) {
    const costs = group.calls.map(({ unitsPico }) => Number(unitsPico[meter] ?? 0n))
    const n = Math.max(costs.length, 1)
    mean += (calls * costs.reduce((sum, cost) => sum + cost, 0)) / n
    variance += (Math.abs(calls) * costs.reduce((sum, cost) => sum + cost ** 2, 0)) / n
  }
  return { mean, error: Math.sqrt(variance) }
}

/** All of the rest when missing calls may have cost that much, else what they cost on average. */
const within = (rest: number, mean: number, error: number): number => {
  if (mean === 0 || Math.sign(rest) !== Math.sign(mean)) return 0
  if (Math.abs(rest) <= Math.abs(mean) + SIGMAS * error) return rest
  return mean
}
