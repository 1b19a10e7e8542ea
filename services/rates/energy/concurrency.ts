import type { EnergyFactors } from './factors.ts'
import { expertCoverage, marginalSeconds, type RooflineTerms } from './roofline.ts'

/**
 * Concurrency from inter-token latency. A step takes longer the more requests share it, so the
 * latency that a caller sees tells the batch, blurred where weights dominate. The posterior mean of
 * ln(batch) is taken over eight nodes with a log-normal prior and a Student-like kernel in the
 * ratio of observed to predicted latency: q + 1/q − 2 stands for ln² q, so that no row needs a
 * logarithm, and heavy tails keep one odd latency from deciding everything.
 */
export const BATCH_NODES: readonly number[] = [1, 3, 8, 20, 50, 120, 300, 800]

export type ConcurrencyPrior = EnergyFactors['concurrency']

// Three degrees of freedom: the kernel's power is then the square, which is cheap in SQL too.
export const KERNEL_FREEDOM = 3

/** Prior weight of each node. */
export const nodeWeights = (prior: ConcurrencyPrior): number[] =>
  BATCH_NODES.map((batch) => Math.exp(-0.5 * (Math.log(batch / prior.median) / prior.sigma) ** 2))

/** GPU seconds per step at each node without the part that grows with the batch. */
export const nodeFixedSeconds = (terms: RooflineTerms): number[] =>
  BATCH_NODES.map((batch) => terms.step + terms.experts * expertCoverage(terms.expertRate, batch))

/** Scale of the kernel: 1 / (freedom · sigma²). */
export const kernelScale = (prior: ConcurrencyPrior): number =>
  1 / (KERNEL_FREEDOM * prior.latencySigma ** 2)

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

/** Mean running requests that explain the latency best; between the first and last node. */
export const concurrencyFromLatency = (
  terms: RooflineTerms,
  observation: LatencyObservation,
  prior: ConcurrencyPrior
): InferredConcurrency => {
  const marginal = marginalSeconds(terms, observation.contextTokens)
  const observed = observation.interTokenSeconds * observation.gpuCount
  const scale = kernelScale(prior)
  const fixed = nodeFixedSeconds(terms)
  const weights = nodeWeights(prior)
  let sum = 0
  let moment = 0
  let square = 0
  BATCH_NODES.forEach((batch, index) => {
    const ratio = observed / ((fixed[index] ?? 0) + batch * marginal)
    const kernel = 1 + scale * (ratio + 1 / ratio - 2)
    const weight = (weights[index] ?? 0) / (kernel * kernel)
    const logBatch = Math.log(batch)
    sum += weight
    moment += weight * logBatch
    square += weight * logBatch * logBatch
  })
  const mean = moment / sum
  return { batch: Math.exp(mean), logSigma: Math.sqrt(Math.max(0, square / sum - mean * mean)) }
}
