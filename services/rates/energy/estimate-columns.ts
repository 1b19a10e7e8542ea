import type { DeploymentFigures } from './deployment-figures.ts'
import { emptyEnergy, estimateCall, type CallInputs } from './estimate.ts'

export type Doubles = Float64Array<ArrayBuffer>

/** What estimates read of many calls, by columns; NaN = not known. */
export type CallColumns = {
  /** Null = steps that no model serves: they get no estimate. */
  deployments: readonly (DeploymentFigures | null)[]
  /** Which of `deployments` served each call. */
  deployment: Doubles
  uncached: Doubles
  cached: Doubles
  /** Calls whose output is not known get no estimate. */
  out: Doubles
  concurrency: Doubles
  interTokenMs: Doubles
}

/** Joules at the GPU boundary, NaN = no estimate, and the place of the tier in `TIERS`. */
export type EnergyColumns = {
  low: Doubles
  mid: Doubles
  high: Doubles
  tier: Int32Array<ArrayBuffer>
}

export const emptyColumns = (rows: number): EnergyColumns => ({
  low: new Float64Array(rows),
  mid: new Float64Array(rows),
  high: new Float64Array(rows),
  tier: new Int32Array(rows)
})

/** `estimateEnergy` of many calls, without an object for each. */
export const estimateColumns = (calls: CallColumns): EnergyColumns => {
  const rows = calls.out.length
  const columns = emptyColumns(rows)
  estimateInto(columns, calls, rows)
  return columns
}

/** The same for the first `rows` calls, into columns that exist. */
export const estimateInto = (columns: EnergyColumns, calls: CallColumns, rows: number): void => {
  const inputs: CallInputs = { uncached: 0, cached: 0, out: 0, concurrency: 0, interTokenMs: 0 }
  const energy = emptyEnergy()
  const { low, mid, high, tier } = columns
  for (let row = 0; row < rows; row += 1) {
    const out = calls.out[row]!
    const figures = calls.deployments[calls.deployment[row]!]
    if (figures === undefined || figures === null || out !== out) {
      low[row] = mid[row] = high[row] = Number.NaN
      tier[row] = 0
      continue
    }
    inputs.uncached = calls.uncached[row]!
    inputs.cached = calls.cached[row]!
    inputs.out = out
    inputs.concurrency = calls.concurrency[row]!
    inputs.interTokenMs = calls.interTokenMs[row]!
    estimateCall(figures, inputs, energy)
    low[row] = energy.low
    mid[row] = energy.mid
    high[row] = energy.high
    tier[row] = energy.known.tierCode
  }
}
