import type { ColumnData, NamedSegments, Segment } from '../lake/columns.ts'
import { BLOCK_ROWS, EstimateBlock, type CallColumns } from '../rates/energy/estimate-block.ts'
import { KnownDeployments } from '../rates/energy/known-deployments.ts'
import { EnergyWriter } from './energy-columns.ts'
import { LandedCalls, type ColumnOf } from './landed-calls.ts'
import { LandedDeployments } from './landed-deployments.ts'

/** Adds to the columns of a flush what its calls are estimated to draw. */
export type FlushEstimate = (batch: NamedSegments) => NamedSegments

/**
 * Estimates a flush out of its own columns, before the engine takes them: nothing is joined or read
 * back. Columns hold until the next flush. Each call is told by itself, its batch by the time between its tokens; settling restates
 * it by the calls that ran beside it.
 */
export const flushEstimate = (): FlushEstimate => {
  const known = new KnownDeployments()
  const calls = new LandedCalls()
  const energy = new EstimateBlock(BLOCK_ROWS)
  // One for each segment of a flush, since the engine takes them together.
  const writers: EnergyWriter[] = []
  return ({ names, segments }) => {
    const estimated = segments.map((segment, index) => {
      const writer = (writers[index] ??= new EnergyWriter())
      return estimateSegment(names, segment, { known, calls, energy, writer })
    })
    const [first] = estimated
    if (first === undefined) return { names, segments }
    return {
      names: [...names, ...Object.keys(first)],
      segments: segments.map(({ rows, columns }, index) => ({
        rows,
        columns: [...columns, ...Object.values(estimated[index]!)]
      }))
    }
  }
}

/** What is used again, for each block or each flush. */
type Kept = {
  known: KnownDeployments
  calls: LandedCalls
  energy: EstimateBlock
  writer: EnergyWriter
}

const estimateSegment = (
  names: readonly string[],
  { rows, columns }: Segment,
  { known, calls, energy, writer }: Kept
): Record<string, ColumnData> => {
  const columnOf: ColumnOf = (name) => columns[names.indexOf(name)]
  const deployments = new LandedDeployments(columnOf, known)
  writer.start(rows)
  for (let at = 0; at < rows; at += BLOCK_ROWS) {
    const count = Math.min(BLOCK_ROWS, rows - at)
    calls.read(columnOf, at, count)
    deployments.read(at, count, calls)
    energy.estimate(callColumns(calls, deployments), 0, count)
    writer.write(energy, at, count)
  }
  return writer.columns()
}

const callColumns = (calls: LandedCalls, { figures }: LandedDeployments): CallColumns => {
  const { deployment, uncached, cached, out, concurrency, interTokenMs } = calls
  return { deployments: figures, deployment, uncached, cached, out, concurrency, interTokenMs }
}
