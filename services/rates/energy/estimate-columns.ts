import type { DeploymentFigures, EnergyTier } from './deployment-figures.ts'
import { emptyEnergy, estimateCall, type CallInputs } from './estimate.ts'

export type Doubles = Float64Array<ArrayBuffer>

/** What estimates read of many calls, by columns; NaN = not known. */
export type CallColumns = {
  deployments: readonly DeploymentFigures[]
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

export const TIERS: readonly EnergyTier[] = ['E1', 'E2', 'E3', 'E4']

/** `estimateEnergy` of many calls, without an object for each. */
export const estimateColumns = (calls: CallColumns): EnergyColumns => {
  const rows = calls.out.length
  const columns = {
    low: new Float64Array(rows),
    mid: new Float64Array(rows),
    high: new Float64Array(rows),
    tier: new Int32Array(rows)
  }
  const inputs: CallInputs = { uncached: 0, cached: 0, out: 0, concurrency: 0, interTokenMs: 0 }
  const energy = emptyEnergy()
  for (let row = 0; row < rows; row += 1) {
    const out = calls.out[row]!
    const figures = calls.deployments[calls.deployment[row]!]
    if (figures === undefined || out !== out) {
      columns.low[row] = columns.mid[row] = columns.high[row] = Number.NaN
      continue
    }
    inputs.uncached = calls.uncached[row]!
    inputs.cached = calls.cached[row]!
    inputs.out = out
    inputs.concurrency = calls.concurrency[row]!
    inputs.interTokenMs = calls.interTokenMs[row]!
    estimateCall(figures, inputs, energy)
    columns.low[row] = energy.low
    columns.mid[row] = energy.mid
    columns.high[row] = energy.high
    columns.tier[row] = TIERS.indexOf(energy.tier)
  }
  return columns
}
