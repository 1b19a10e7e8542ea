import { exp } from './exponential.ts'
import type { RooflineFactors } from './factors.ts'
import type { GpuSpec } from './gpu.ts'
import { DENSE_RATIO_MIN, type ModelStructure } from './model-table.ts'
import { PRECISIONS, type Precision } from './precision.ts'

/**
 * The roofline: a step of the serving engine reads the weights once for the whole batch, does
 * arithmetic and reads the cache per request, and pays fixed costs per layer. All terms are GPU
 * seconds (seconds of one GPU at full board power for energy, of one GPU's time for latency).
 */
export type Deployment = {
  model: ModelStructure
  gpu: GpuSpec
  gpuCount: number
  precision: Precision
  /** How much of the 2024 software factor applies: 1 known old, 0 known new, between when guessed. */
  engine2024: number
}

export type RooflineTerms = {
  /** GPU seconds per step, whatever the batch. */
  step: number
  /** GPU seconds per step to read every expert; a batch reads `coverage` of them. */
  experts: number
  /** ln(1 − share of the experts that one token reads); finite even where it reads them all. */
  logMiss: number
  /** GPU seconds per output token, and per token of context it attends to. */
  token: number
  context: number
  /** The same for layers under a sliding window. */
  window: number
  windowTokens: number
  /** GPU seconds per uncached input token, and per such token and token of input before it. */
  input: number
  attention: number
}

const MICROS = 1e-6
const PARAMETERS_PER_B = 1e9
const FLOP_PER_PARAMETER = 2
/** Of the active parameters of a mixture whose experts are not known, the share that is routed. */
const ROUTED_SHARE = 0.6

type Weights = { fixed: number; experts: number; expertRate: number }

/**
 * Splits parameters into those every step reads and the routed experts. With N experts of which a
 * token takes k: (total − active) / (N − k) parameters each.
 */
export const splitWeights = (model: ModelStructure): Weights => {
  const total = model.totalB * PARAMETERS_PER_B
  const active = model.activeB * PARAMETERS_PER_B
  if (!isMixture(model)) return { fixed: total, experts: 0, expertRate: 0 }
  if (model.experts === null || model.expertsActive === null) {
    const fixed = (1 - ROUTED_SHARE) * active
    const experts = total - fixed
    return { fixed, experts, expertRate: Math.min(1, (ROUTED_SHARE * active) / experts) }
  }
  const each = (total - active) / (model.experts - model.expertsActive)
  const fixed = Math.max(active - model.expertsActive * each, 0.02 * total)
  return {
    fixed,
    experts: model.experts * each,
    expertRate: model.expertsActive / model.experts
  }
}

export const isMixture = (model: ModelStructure): boolean =>
  model.activeB < model.totalB * DENSE_RATIO_MIN

/** Terms of one deployment under one set of factors. */
export const rooflineTerms = (deployment: Deployment, factors: RooflineFactors): RooflineTerms => {
  const { model, gpu, gpuCount } = deployment
  const format = PRECISIONS[deployment.precision]
  const weights = splitWeights(model)
  const mixture = isMixture(model)
  const factor = deploymentFactor(deployment, factors, mixture)
  const perByte = factor / gpu.memoryBytesPerSecond
  const perFlop = factor / (gpu.bf16FlopPerSecond * format.arithmeticSpeedup)
  const activeFlop = FLOP_PER_PARAMETER * model.activeB * PARAMETERS_PER_B
  const perLayerMicros =
    factors.stepMicros +
    (gpuCount > 1 ? factors.communicationMicros : 0) +
    (mixture ? factors.routingMicros : 0)
  const keyValue = factors.keyValue * perByte * model.keyValueBytes
  return {
    step:
      factors.memory * perByte * format.bytesPerParameter * weights.fixed +
      factor * perLayerMicros * MICROS * gpuCount * model.layers,
    experts: factors.expertMemory * perByte * format.bytesPerParameter * weights.experts,
    logMiss: Math.log1p(-Math.min(weights.expertRate, 1 - Number.EPSILON)),
    token:
      factors.arithmetic * perFlop * activeFlop +
      factors.state * perByte * model.stateBytes +
      factor * factors.tokenMicros * MICROS * gpuCount,
    context: keyValue * (1 - model.windowShare),
    window: keyValue * model.windowShare,
    windowTokens: model.windowTokens,
    input: factors.prefill * perFlop * activeFlop,
    // Scores and their product with the values: 2 · layers · hidden per token of input before it.
    attention: factors.prefill * perFlop * 2 * model.layers * model.hidden
  }
}

const deploymentFactor = (
  { gpu, precision, engine2024 }: Deployment,
  factors: RooflineFactors,
  mixture: boolean
): number => {
  const old = factors.engine2024 + (mixture ? factors.engine2024Mixture : 0)
  return exp(
    (factors.gpu[gpu.kin ?? ''] ?? 0) + (factors.precision[precision] ?? 0) + engine2024 * old
  )
}

/** GPU seconds per step that do not grow with the batch, but for the experts that it reads. */
export const fixedSeconds = (terms: RooflineTerms, batch: number): number =>
  terms.experts === 0
    ? terms.step
    : terms.step + terms.experts * (1 - exp(Math.max(1, batch) * terms.logMiss))

/** GPU seconds that each request of the batch adds to a step. */
export const marginalSeconds = (terms: RooflineTerms, contextTokens: number): number =>
  terms.token +
  terms.context * contextTokens +
  terms.window * Math.min(contextTokens, terms.windowTokens)

/** GPU seconds per output token at a batch and mean context. */
export const outputSeconds = (terms: RooflineTerms, batch: number, contextTokens: number): number =>
  fixedSeconds(terms, batch) / Math.max(1, batch) + marginalSeconds(terms, contextTokens)

/** GPU seconds per uncached input token of a prompt of that length in all. */
export const inputSeconds = (terms: RooflineTerms, inputTokens: number): number =>
  terms.input + terms.attention * inputTokens
