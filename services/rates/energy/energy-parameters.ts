import { logMissOf } from './concurrency.ts'
import { resolveDeployment, type DeploymentRequest } from './deployment.ts'
import { FACTORS, type EnergyFactors } from './factors.ts'
import { combineHalfWidths } from './interval.ts'
import { isMixture, rooflineTerms, type RooflineTerms } from './roofline.ts'

/**
 * Everything of an estimate that depends on model, GPU, precision and count alone, as one row of
 * numbers per distinct combination. The vectorised pass joins it and does arithmetic on columns.
 */
export type EnergyParameters = {
  /** J per step, all experts, per token, per context token …: roofline terms times board power. */
  e_step: number
  e_experts: number
  e_token: number
  e_context: number
  e_window: number
  e_input: number
  e_attention: number
  window_tokens: number
  /** ln(1 − share of experts that one token reads). */
  log_miss: number
  /** Milliseconds per step, and per request of the batch. */
  l_step: number
  l_experts: number
  l_token: number
  l_context: number
  l_window: number
  /** Whether model and GPU are known well enough for a latency to tell the batch. */
  latency_usable: boolean
  /** 4: closed model, always E4; 3: GPU unknown, always E3; 0: by what the event knows. */
  tier_floor: number
  /** 1 for a mixture of experts, else 0. */
  mixture: number
  /** Squares of the half-widths that the deployment's assumptions add. */
  below2: number
  above2: number
}

const MS_PER_SECOND = 1000

/** The parameter row of one combination; `engineYear` is the year of the events. */
export const energyParameters = (
  request: DeploymentRequest,
  factors: EnergyFactors = FACTORS
): EnergyParameters => {
  const resolved = resolveDeployment(request, factors)
  const { deployment, modelKnown, hardwareKnown } = resolved
  const energy = rooflineTerms(deployment, factors.energy)
  const latency = rooflineTerms(deployment, factors.latency)
  const ms = MS_PER_SECOND / deployment.gpuCount
  const assumed = combineHalfWidths(resolved.assumptions)
  return {
    ...energyColumns(energy, deployment.gpu.powerWattsMax),
    l_step: latency.step * ms,
    l_experts: latency.experts * ms,
    l_token: latency.token * ms,
    l_context: latency.context * ms,
    l_window: latency.window * ms,
    latency_usable: modelKnown && hardwareKnown,
    tier_floor: modelKnown ? Number(!hardwareKnown) * 3 : 4,
    mixture: Number(isMixture(deployment.model)),
    below2: assumed.below ** 2,
    above2: assumed.above ** 2
  }
}

const energyColumns = (terms: RooflineTerms, watts: number) => ({
  e_step: terms.step * watts,
  e_experts: terms.experts * watts,
  e_token: terms.token * watts,
  e_context: terms.context * watts,
  e_window: terms.window * watts,
  e_input: terms.input * watts,
  e_attention: terms.attention * watts,
  window_tokens: terms.windowTokens,
  log_miss: logMissOf(terms)
})
