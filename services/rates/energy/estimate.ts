import { exp } from './exponential.ts'
import { concurrencyFromLatency, type InferredConcurrency } from './concurrency.ts'
import {
  TIERS,
  deploymentFigures,
  type DeploymentFigures,
  type EnergyTier,
  type KnowledgeFigures
} from './deployment-figures.ts'
import type { DeploymentRequest } from './deployment.ts'
import { FACTORS, type EnergyFactors, type HalfWidth, type KnowledgeName } from './factors.ts'
import type { Interval } from './interval.ts'
import { fixedSeconds, inputSeconds, marginalSeconds } from './roofline.ts'

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

/** Mean context of decoding: the input plus this share of the output, since long calls linger. */
export const CONTEXT_OUTPUT_SHARE = 0.6
/** Energy of a cached against an uncached input token; only one measurement exists (0.37). */
export const CACHED_SHARE = 0.1
/** Prompt assumed when the input is not reported: the reference set's common chat prompt. */
export const INPUT_ASSUMED_TOKENS = 250
/** What an unreported prompt adds: chat prompts are short, documents are not. */
const INPUT_UNREPORTED: HalfWidth = { below: 0.05, above: 0.25 }
/** Natural logarithms of 0.02 / 0.1 and 0.37 / 0.1: cache load alone, and the one measurement. */
const CACHED_HALF_WIDTH: HalfWidth = { below: 1.61, above: 1.31 }
/** Few prefill measurements are open: × 0.6 … × 2. */
const PREFILL_HALF_WIDTH: HalfWidth = { below: 0.51, above: 0.69 }
const squared = ({ below, above }: HalfWidth): HalfWidth => ({
  below: below * below,
  above: above * above
})
const UNREPORTED2 = squared(INPUT_UNREPORTED)
const CACHED2 = squared(CACHED_HALF_WIDTH)
const PREFILL2 = squared(PREFILL_HALF_WIDTH)
/** An observed latency outside a factor of four of the model's says more of queues than of energy. */
const LATENCY_RATIO_MAX = 4
/** The 90th percentile of a normal deviate: half of an 80 % interval lies within it. */
const NORMAL_P90 = 1.2816

/** What an estimate reads of a call beside its deployment; NaN = not known. */
export type CallInputs = {
  uncached: number
  cached: number
  out: number
  concurrency: number
  interTokenMs: number
}

/** An estimate as the arithmetic leaves it, J: one object serves any number of calls. */
export type CallEnergy = Interval &
  InferredConcurrency & { known: KnowledgeFigures; prefill: number; cached: number; decode: number }

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
  const { low, mid, high, known, prefill, cached, decode, batch } = estimateCall(figures, inputs)
  const assumptions = figures.assumptions.map(({ what }) => what)
  const unreported = `input not reported, ${INPUT_ASSUMED_TOKENS} tokens assumed`
  return {
    joules: { low, mid, high },
    tier: known.tier,
    methodVersion: METHOD_VERSION,
    factorsVersion: factors.version,
    parts: { prefill, cached, decode },
    concurrency: batch,
    assumptions: isUnreported(inputs) ? [...assumptions, unreported] : assumptions
  }
}

const NOTHING_KNOWN: KnowledgeFigures = {
  knowledge: 'neither',
  tier: 'E4',
  tierCode: TIERS.indexOf('E4'),
  below2: 0,
  above2: 0
}

export const emptyEnergy = (): CallEnergy => ({
  low: 0,
  mid: 0,
  high: 0,
  known: NOTHING_KNOWN,
  prefill: 0,
  cached: 0,
  decode: 0,
  batch: 1,
  logSigma: 0
})

const isUnreported = ({ uncached, cached }: CallInputs): boolean =>
  uncached !== uncached && cached !== cached

/** The arithmetic of a call. Comparisons are such that NaN counts as not known. */
export const estimateCall = (
  figures: DeploymentFigures,
  inputs: CallInputs,
  into: CallEnergy = emptyEnergy()
): CallEnergy => {
  const { joules, factors } = figures
  const cached = inputs.cached > 0 ? inputs.cached : 0
  const uncached = uncachedOf(inputs, cached)
  const out = inputs.out > 0 ? inputs.out : 0
  const input = uncached + cached
  const context = input + CONTEXT_OUTPUT_SHARE * out
  const known = knownOf(figures, inputs)
  const { knowledge } = known
  inferBatch(figures, inputs, { knowledge, context, into })
  const { batch, logSigma } = into
  const shared = fixedSeconds(joules, batch) / batch
  const marginal = marginalSeconds(joules, context)
  const perInput = inputSeconds(joules, input)
  const slower =
    knowledge === 'batch_and_latency' ? latencyCorrection(figures, inputs, { batch, context }) : 1
  into.prefill = perInput * uncached
  into.cached = CACHED_SHARE * perInput * cached
  into.decode = (shared + marginal) * out * slower
  // Doubt about the batch matters as far as energy depends on it: by the shared part of a step.
  const blur =
    logSigma === 0
      ? 0
      : (NORMAL_P90 * factors.concurrency.spreadScale * logSigma * shared) / (shared + marginal)
  into.known = known
  spread(into, known, { blur, unreported: isUnreported(inputs) })
  return into
}

const uncachedOf = ({ uncached }: CallInputs, cached: number): number => {
  if (uncached === uncached) return uncached > 0 ? uncached : 0
  return cached > 0 ? 0 : INPUT_ASSUMED_TOKENS
}

// By name, not by key: what is read of every call by a computed name costs as much as a logarithm.
const knownOf = (
  { latencyUsable, by }: DeploymentFigures,
  { concurrency, interTokenMs }: CallInputs
): KnowledgeFigures => {
  const hasLatency = latencyUsable && interTokenMs > 0
  if (concurrency > 0) return hasLatency ? by.batch_and_latency : by.batch
  return hasLatency ? by.latency : by.neither
}

const inferBatch = (
  { stepMs, batchPrior, factors }: DeploymentFigures,
  { concurrency, interTokenMs }: CallInputs,
  at: { knowledge: KnowledgeName; context: number; into: InferredConcurrency }
): void => {
  const { knowledge, context, into } = at
  if (knowledge === 'latency') {
    concurrencyFromLatency(batchPrior, marginalSeconds(stepMs, context), interTokenMs, into)
    return
  }
  // Where nothing tells the batch, the width of its prior is in the interval of that knowledge already.
  into.batch = knowledge === 'neither' ? factors.concurrency.median : Math.max(1, concurrency)
  into.logSigma = 0
}

// A step that took longer than the model says drew power for longer: part of the gap is energy.
const latencyCorrection = (
  { stepMs, factors }: DeploymentFigures,
  { interTokenMs }: CallInputs,
  { batch, context }: { batch: number; context: number }
): number => {
  const predicted = fixedSeconds(stepMs, batch) + batch * marginalSeconds(stepMs, context)
  const ratio = Math.min(
    LATENCY_RATIO_MAX,
    Math.max(1 / LATENCY_RATIO_MAX, interTokenMs / predicted)
  )
  return exp(factors.latencyWeight * Math.log(ratio))
}

/** Independent errors in log space add as squares; prefill and cache shares add their own doubt. */
const spread = (
  into: CallEnergy,
  known: KnowledgeFigures,
  { blur, unreported }: { blur: number; unreported: boolean }
): void => {
  const mid = into.prefill + into.cached + into.decode
  into.mid = mid
  into.low = 0
  into.high = 0
  if (!(mid > 0)) return
  // Products, not powers: a power of two costs as much as an exponential.
  const prefill = into.prefill / mid
  const cached = into.cached / mid
  const prefill2 = prefill * prefill
  const cached2 = cached * cached
  const blur2 = blur * blur
  const below2 = known.below2 + blur2 + PREFILL2.below * prefill2 + CACHED2.below * cached2
  const above2 = known.above2 + blur2 + PREFILL2.above * prefill2 + CACHED2.above * cached2
  into.low = mid * exp(-Math.sqrt(below2 + (unreported ? UNREPORTED2.below : 0)))
  into.high = mid * exp(Math.sqrt(above2 + (unreported ? UNREPORTED2.above : 0)))
}
