import { batchPrior, type BatchPrior } from './concurrency.ts'
import { resolveDeployment, type Assumption, type DeploymentRequest } from './deployment.ts'
import { FACTORS, type EnergyFactors, type HalfWidth, type KnowledgeName } from './factors.ts'
import { isMixture, rooflineTerms, type RooflineTerms } from './roofline.ts'

export const TIERS = ['E1', 'E2', 'E3', 'E4'] as const
export type EnergyTier = (typeof TIERS)[number]

/** What an estimate says once the batch, the latency, both or neither are known. */
export type KnowledgeFigures = {
  knowledge: KnowledgeName
  tier: EnergyTier
  /** The tier's place in `TIERS`. */
  tierCode: number
  /** Squares of the half-widths: held-out error of this knowledge and what is assumed. */
  below2: number
  above2: number
}

/**
 * Everything of an estimate that depends on model, GPU, precision and count alone: worked out once
 * for all the calls of a deployment.
 */
export type DeploymentFigures = {
  /** Roofline in joules of all GPUs. */
  joules: RooflineTerms
  /** Roofline in milliseconds of a step. */
  stepMs: RooflineTerms
  /** What is held of the batch before a latency tells more. */
  batchPrior: BatchPrior
  /** Whether model and GPU are known well enough for a latency to tell the batch. */
  latencyUsable: boolean
  by: Readonly<Record<KnowledgeName, KnowledgeFigures>>
  assumptions: readonly Assumption[]
  factors: EnergyFactors
}

const MS_PER_SECOND = 1000

export const deploymentFigures = (
  request: DeploymentRequest,
  factors: EnergyFactors = FACTORS
): DeploymentFigures => {
  const { deployment, assumptions, modelKnown, hardwareKnown } = resolveDeployment(request, factors)
  const { gpu, gpuCount, model } = deployment
  const group = isMixture(model) ? 'mixture' : 'dense'
  const floor = modelKnown ? (hardwareKnown ? null : 'E3') : 'E4'
  const figures = (knowledge: KnowledgeName): KnowledgeFigures => {
    const widths = [factors.interval[knowledge][group], ...assumptions]
    const tier = floor ?? TIER_OF_KNOWLEDGE[knowledge]
    return { knowledge, tier, tierCode: TIERS.indexOf(tier), ...squares(widths) }
  }
  const stepMs = scaled(rooflineTerms(deployment, factors.latency), MS_PER_SECOND / gpuCount)
  return {
    joules: scaled(rooflineTerms(deployment, factors.energy), gpu.powerWattsMax),
    stepMs,
    batchPrior: batchPrior(stepMs, factors.concurrency),
    latencyUsable: modelKnown && hardwareKnown,
    by: {
      batch_and_latency: figures('batch_and_latency'),
      batch: figures('batch'),
      latency: figures('latency'),
      neither: figures('neither')
    },
    assumptions,
    factors
  }
}

const TIER_OF_KNOWLEDGE: Readonly<Record<KnowledgeName, EnergyTier>> = {
  batch_and_latency: 'E1',
  batch: 'E1',
  latency: 'E2',
  neither: 'E3'
}

const squares = (widths: readonly HalfWidth[]) => ({
  below2: widths.reduce((sum, { below }) => sum + below * below, 0),
  above2: widths.reduce((sum, { above }) => sum + above * above, 0)
})

const scaled = (terms: RooflineTerms, by: number): RooflineTerms => ({
  step: terms.step * by,
  experts: terms.experts * by,
  logMiss: terms.logMiss,
  token: terms.token * by,
  context: terms.context * by,
  window: terms.window * by,
  windowTokens: terms.windowTokens,
  input: terms.input * by,
  attention: terms.attention * by
})
