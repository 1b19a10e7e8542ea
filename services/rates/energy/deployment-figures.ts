import { KNOWLEDGE, deploymentNumbers } from './deployment-numbers.ts'
import { resolveDeployment, type Assumption, type DeploymentRequest } from './deployment.ts'
import { FACTORS, type EnergyFactors, type HalfWidth, type KnowledgeName } from './factors.ts'
import { isMixture, rooflineTerms, type RooflineTerms } from './roofline.ts'

export const TIERS = ['E1', 'E2', 'E3', 'E4'] as const
export type EnergyTier = (typeof TIERS)[number]

/**
 * Everything of an estimate that depends on model, GPU, precision and count alone: worked out once
 * for all the calls of a deployment.
 */
export type DeploymentFigures = {
  /** By the places of `AT`. */
  numbers: Float64Array
  assumptions: readonly Assumption[]
}

const MS_PER_SECOND = 1000

/** The 90th percentile of a normal deviate: half of an 80 % interval lies within it. */
const NORMAL_P90 = 1.2816

export const deploymentFigures = (
  request: DeploymentRequest,
  factors: EnergyFactors = FACTORS
): DeploymentFigures => {
  const { deployment, assumptions, modelKnown, hardwareKnown } = resolveDeployment(request, factors)
  const { gpu, gpuCount, model } = deployment
  const { interval, concurrency, latencyWeight } = factors
  const group = isMixture(model) ? 'mixture' : 'dense'
  const floor = modelKnown ? (hardwareKnown ? null : 'E3') : 'E4'
  const stepMs = scaled(rooflineTerms(deployment, factors.latency), MS_PER_SECOND / gpuCount)
  const numbers = deploymentNumbers({
    joules: scaled(rooflineTerms(deployment, factors.energy), gpu.powerWattsMax),
    stepMs,
    concurrency,
    blur: NORMAL_P90 * concurrency.spreadScale,
    latencyWeight,
    // A latency tells the batch where model and GPU are known well enough.
    latencyUsable: modelKnown && hardwareKnown,
    by: KNOWLEDGE.map((knowledge) => ({
      ...squares([interval[knowledge][group], ...assumptions]),
      tierCode: TIERS.indexOf(floor ?? TIER_OF_KNOWLEDGE[knowledge])
    }))
  })
  return { numbers, assumptions }
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
