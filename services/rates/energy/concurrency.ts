import type { EnergyFactors } from './factors.ts'
import { marginalSeconds, type RooflineTerms } from './roofline.ts'

/**
 * Concurrency from inter-token latency. A step takes longer the more requests share it, so the
 * latency that a caller sees tells the batch, as far as the step depends on it. The mode of the
 * posterior (log-normal prior, log-normal error of the latency model) is approached by two
 * Gauss-Newton steps in ln(batch): two, because a third moves held-out error by less than 0.3
 * points, and each is paid per event. The curvature at the last step gives the spread.
 */
export type ConcurrencyPrior = EnergyFactors['concurrency']

export type LatencyObservation = {
  interTokenSeconds: number
  gpuCount: number
  contextTokens: number
}

export type InferredConcurrency = {
  batch: number
  /** Standard deviation of ln(batch) under the posterior. */
  logSigma: number
}

export const CONCURRENCY_STEPS = 2
/** No step moves the batch by more than a factor of twelve; a flat latency would send it anywhere. */
export const LOG_STEP_MAX = 2.5
/** exp(7) = 1,097 running requests: the most that one replica of the reference set runs well. */
export const LOG_BATCH_MAX = 7

/** Mean running requests that explain the latency best. */
export const concurrencyFromLatency = (
  terms: RooflineTerms,
  observation: LatencyObservation,
  prior: ConcurrencyPrior
): InferredConcurrency => {
  const scene: Scene = {
    terms,
    prior,
    marginal: marginalSeconds(terms, observation.contextTokens),
    observed: observation.interTokenSeconds * observation.gpuCount
  }
  let logBatch = Math.log(prior.median)
  let curvature = 1
  for (let step = 0; step < CONCURRENCY_STEPS; step += 1) {
    const next = gaussNewton(scene, logBatch)
    logBatch = next.logBatch
    curvature = next.curvature
  }
  return { batch: Math.exp(logBatch), logSigma: 1 / Math.sqrt(curvature) }
}

type Scene = { terms: RooflineTerms; prior: ConcurrencyPrior; marginal: number; observed: number }

const gaussNewton = ({ terms, prior, marginal, observed }: Scene, logBatch: number) => {
  const batch = Math.exp(logBatch)
  const logMiss = logMissOf(terms)
  const missed = terms.experts * Math.exp(batch * logMiss)
  const predicted = terms.step + terms.experts - missed + batch * marginal
  const elasticity = (batch * (marginal - missed * logMiss)) / predicted
  const dataWeight = elasticity / prior.latencySigma ** 2
  const priorWeight = 1 / prior.sigma ** 2
  const gradient =
    dataWeight * Math.log(observed / predicted) - priorWeight * (logBatch - Math.log(prior.median))
  const curvature = dataWeight * elasticity + priorWeight
  const step = clamp(gradient / curvature, -LOG_STEP_MAX, LOG_STEP_MAX)
  return { logBatch: clamp(logBatch + step, 0, LOG_BATCH_MAX), curvature }
}

/** ln(1 − share of experts one token reads); finite even where a token reads them all. */
export const logMissOf = ({ expertRate }: RooflineTerms): number =>
  Math.log1p(-Math.min(expertRate, 1 - Number.EPSILON))

const clamp = (value: number, low: number, high: number): number =>
  Math.min(high, Math.max(low, value))
