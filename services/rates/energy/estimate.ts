import {
  TIERS,
  deploymentFigures,
  type DeploymentFigures,
  type EnergyTier
} from './deployment-figures.ts'
import type { DeploymentRequest } from './deployment.ts'
import { EstimateBlock, INPUT_ASSUMED_TOKENS, type Doubles } from './estimate-block.ts'
import { FACTORS, type EnergyFactors } from './factors.ts'
import type { Interval } from './interval.ts'

/**
 * Estimated energy of one call at the GPU boundary: roofline of docs in infra/ENERGY.md, prefill
 * and decode apart. Pure and deterministic; three numbers, never one.
 */
export const METHOD_VERSION = 'roofline-3'

/** The version that stands on every row: method and factors. */
export const energyVersion = (factors: EnergyFactors = FACTORS): string =>
  `${METHOD_VERSION}/${factors.version}`

export type EnergyRequest = DeploymentRequest & {
  /** Mean running requests of the replica. */
  concurrency?: number | null | undefined
  interTokenMs?: number | null | undefined
  /** Null means not reported: a typical prompt is assumed. */
  inUncached?: number | null | undefined
  inCacheRead?: number | null | undefined
  /** All output tokens, reasoning included. */
  out: number
}

export type EnergyEstimate = {
  joules: Interval
  tier: EnergyTier
  methodVersion: string
  factorsVersion: string
  /** Central estimate by part, J. */
  parts: { prefill: number; cached: number; decode: number }
  /** The batch that was used, given or inferred. */
  concurrency: number
  assumptions: string[]
}

/** What an estimate reads of a call beside its deployment; NaN = not known. */
export type CallInputs = {
  uncached: number
  cached: number
  out: number
  concurrency: number
  interTokenMs: number
}

/** An estimate as the arithmetic leaves it, J: one object serves any number of calls. */
export type CallEnergy = Interval & {
  /** The tier's place in `TIERS`. */
  tierCode: number
  prefill: number
  cached: number
  decode: number
  /** Mean running requests, given or inferred. */
  batch: number
}

/** Estimates one call. Throws nothing: what is not known is assumed and named. */
export const estimateEnergy = (
  request: EnergyRequest,
  factors: EnergyFactors = FACTORS
): EnergyEstimate => {
  const figures = deploymentFigures(request, factors)
  const inputs: CallInputs = {
    uncached: request.inUncached ?? Number.NaN,
    cached: request.inCacheRead ?? Number.NaN,
    out: request.out,
    concurrency: request.concurrency ?? Number.NaN,
    interTokenMs: request.interTokenMs ?? Number.NaN
  }
  const { low, mid, high, tierCode, prefill, cached, decode, batch } = estimateCall(figures, inputs)
  const assumptions = figures.assumptions.map(({ what }) => what)
  const unreported = `input not reported, ${INPUT_ASSUMED_TOKENS} tokens assumed`
  return {
    joules: { low, mid, high },
    tier: TIERS[tierCode]!,
    methodVersion: METHOD_VERSION,
    factorsVersion: factors.version,
    parts: { prefill, cached, decode },
    concurrency: batch,
    assumptions: isUnreported(inputs) ? [...assumptions, unreported] : assumptions
  }
}

export const emptyEnergy = (): CallEnergy => ({
  low: 0,
  mid: 0,
  high: 0,
  tierCode: 0,
  prefill: 0,
  cached: 0,
  decode: 0,
  batch: 1
})

const isUnreported = ({ uncached, cached }: CallInputs): boolean =>
  Number.isNaN(uncached) && Number.isNaN(cached)

/** One call is a block of one: the arithmetic is written down once. */
const one = new EstimateBlock(1)
const value = (): Doubles => new Float64Array(1)
const call = {
  deployment: value(),
  uncached: value(),
  cached: value(),
  out: value(),
  concurrency: value(),
  interTokenMs: value()
}

export const estimateCall = (
  figures: DeploymentFigures,
  inputs: CallInputs,
  into: CallEnergy = emptyEnergy()
): CallEnergy => {
  call.uncached[0] = inputs.uncached
  call.cached[0] = inputs.cached
  call.out[0] = inputs.out
  call.concurrency[0] = inputs.concurrency
  call.interTokenMs[0] = inputs.interTokenMs
  one.estimate({ deployments: [figures], ...call }, 0, 1)
  into.low = one.low[0]!
  into.mid = one.mid[0]!
  into.high = one.high[0]!
  into.tierCode = one.tier[0]!
  into.prefill = one.prefill[0]!
  into.cached = one.cached[0]!
  into.decode = one.decode[0]!
  into.batch = one.batch[0]!
  return into
}
