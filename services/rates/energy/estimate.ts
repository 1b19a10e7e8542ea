import { concurrencyFromLatency, type InferredConcurrency } from './concurrency.ts'
import { resolveDeployment, type DeploymentRequest, type ResolvedDeployment } from './deployment.ts'
import { FACTORS, type EnergyFactors, type HalfWidth, type KnowledgeName } from './factors.ts'
import { combineHalfWidths, interval, type Interval } from './interval.ts'
import {
  fixedSeconds,
  inputSeconds,
  isMixture,
  marginalSeconds,
  outputSeconds,
  rooflineTerms,
  type RooflineTerms
} from './roofline.ts'

/**
 * Estimated energy of one call at the GPU boundary: roofline of docs in infra/ENERGY.md, prefill
 * and decode apart. Pure and deterministic; three numbers, never one.
 */
export const METHOD_VERSION = 'roofline-2'

export type EnergyTier = 'E1' | 'E2' | 'E3' | 'E4'

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
export const INPUT_UNREPORTED: HalfWidth = { below: 0.05, above: 0.25 }
/** An observed latency outside a factor of four of the model's says more of queues than of energy. */
export const LATENCY_RATIO_MAX = 4

type Work = { uncached: number; cached: number; out: number; context: number; input: number }

/** Estimates one call. Throws nothing: what is not known is assumed and named. */
export const estimateEnergy = (
  request: EnergyRequest,
  factors: EnergyFactors = FACTORS
): EnergyEstimate => {
  const resolved = resolveDeployment(request, factors)
  const energy = rooflineTerms(resolved.deployment, factors.energy)
  const latency = rooflineTerms(resolved.deployment, factors.latency)
  const work = workOf(request)
  const knowledge = knowledgeOf(request, resolved)
  const { batch, logSigma } = concurrencyOf(request, {
    resolved,
    latency,
    work,
    knowledge,
    factors
  })
  const watts = resolved.deployment.gpu.powerWattsMax
  const correction =
    knowledge === 'batch_and_latency'
      ? latencyCorrection(request, { resolved, latency, work, batch, factors })
      : 1
  const perInput = watts * inputSeconds(energy, work.input)
  const parts = {
    prefill: perInput * work.uncached,
    cached: CACHED_SHARE * perInput * work.cached,
    decode: watts * outputSeconds(energy, batch, work.context) * work.out * correction
  }
  const base =
    factors.interval[knowledge][isMixture(resolved.deployment.model) ? 'mixture' : 'dense']
  const assumptions = assumptionsOf(request, resolved)
  const blur = batchBlur(energy, { batch, logSigma }, work, factors)
  return {
    joules: interval(parts, combineHalfWidths([base, ...assumptions, blur])),
    tier: tierOf(knowledge, resolved),
    methodVersion: METHOD_VERSION,
    factorsVersion: factors.version,
    parts,
    concurrency: batch,
    assumptions: assumptions.map(({ what }) => what)
  }
}

const workOf = (request: EnergyRequest): Work => {
  const cached = Math.max(0, request.inCacheRead ?? 0)
  const uncached = Math.max(0, request.inUncached ?? (cached > 0 ? 0 : INPUT_ASSUMED_TOKENS))
  const out = Math.max(0, request.out)
  const input = uncached + cached
  return { uncached, cached, out, input, context: input + CONTEXT_OUTPUT_SHARE * out }
}

const isPositive = (value: number | null | undefined): value is number =>
  value !== null && value !== undefined && value > 0

const knowledgeOf = (request: EnergyRequest, resolved: ResolvedDeployment): KnowledgeName => {
  const latency = isPositive(request.interTokenMs) && resolved.hardwareKnown && resolved.modelKnown
  if (isPositive(request.concurrency)) return latency ? 'batch_and_latency' : 'batch'
  return latency ? 'latency' : 'neither'
}

const tierOf = (knowledge: KnowledgeName, resolved: ResolvedDeployment): EnergyTier => {
  if (!resolved.modelKnown) return 'E4'
  if (!resolved.hardwareKnown) return 'E3'
  return TIER_OF_KNOWLEDGE[knowledge]
}

export const TIER_OF_KNOWLEDGE: Readonly<Record<KnowledgeName, EnergyTier>> = {
  batch_and_latency: 'E1',
  batch: 'E1',
  latency: 'E2',
  neither: 'E3'
}

type Scene = {
  resolved: ResolvedDeployment
  latency: RooflineTerms
  work: Work
  factors: EnergyFactors
}

const concurrencyOf = (
  request: EnergyRequest,
  { resolved, latency, work, knowledge, factors }: Scene & { knowledge: KnowledgeName }
): InferredConcurrency => {
  if (isPositive(request.concurrency)) {
    return { batch: Math.max(1, request.concurrency), logSigma: 0 }
  }
  // The width of the prior is in the interval of this tier already.
  if (knowledge === 'neither') return { batch: factors.concurrency.median, logSigma: 0 }
  return concurrencyFromLatency(
    latency,
    {
      interTokenSeconds: (request.interTokenMs ?? 0) / 1000,
      gpuCount: resolved.deployment.gpuCount,
      contextTokens: work.context
    },
    factors.concurrency
  )
}

// A step that took longer than the model says drew power for longer: part of the gap is energy.
const latencyCorrection = (
  request: EnergyRequest,
  { resolved, latency, work, batch, factors }: Scene & { batch: number }
): number => {
  const observed = ((request.interTokenMs ?? 0) / 1000) * resolved.deployment.gpuCount
  const predicted = fixedSeconds(latency, batch) + batch * marginalSeconds(latency, work.context)
  const ratio = observed / predicted
  const bounded = Math.min(LATENCY_RATIO_MAX, Math.max(1 / LATENCY_RATIO_MAX, ratio))
  return bounded ** factors.latencyWeight
}

/** The 90th percentile of a normal deviate: half of an 80 % interval lies within it. */
export const NORMAL_P90 = 1.2816

// Doubt about the batch matters as far as energy depends on it: by the shared part of a step.
const batchBlur = (
  energy: RooflineTerms,
  { batch, logSigma }: InferredConcurrency,
  work: Work,
  factors: EnergyFactors
): HalfWidth => {
  const shared = fixedSeconds(energy, batch) / batch
  const elasticity = shared / (shared + marginalSeconds(energy, work.context))
  const halfWidth = NORMAL_P90 * factors.concurrency.spreadScale * logSigma * elasticity
  return { below: halfWidth, above: halfWidth }
}

const assumptionsOf = (request: EnergyRequest, resolved: ResolvedDeployment) => {
  const reported = request.inUncached ?? request.inCacheRead ?? null
  if (reported !== null) return resolved.assumptions
  const what = `input not reported, ${INPUT_ASSUMED_TOKENS} tokens assumed`
  return [...resolved.assumptions, { what, ...INPUT_UNREPORTED }]
}
