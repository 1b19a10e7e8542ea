import { exp } from './exponential.ts'
import type { EnergyFactors } from './factors.ts'
import { fixedSeconds, type RooflineTerms } from './roofline.ts'

/**
 * Concurrency from inter-token latency. A step takes longer the more requests share it, so the
 * latency that a caller sees tells the batch, as far as the step depends on it. The mode of the
 * posterior (log-normal prior, log-normal error of the latency model) is approached by two
 * Gauss-Newton steps in ln(batch): two, because a third moves held-out error by less than 0.3
 * points, and each is paid per event. The curvature at the last step gives the spread.
 */
export type InferredConcurrency = {
  batch: number
  /** Standard deviation of ln(batch) under the posterior; 0 = the batch is given. */
  logSigma: number
}

const CONCURRENCY_STEPS = 2
/** No step moves the batch by more than a factor of twelve; a flat latency would send it anywhere. */
const LOG_STEP_MAX = 2.5
/** exp(7) = 1,097 running requests: the most that one replica of the reference set runs well. */
const LOG_BATCH_MAX = 7

/** What a deployment says of its batch before a latency is seen: worked out once for all calls. */
export type BatchPrior = {
  /** Roofline of a step, in the unit of latencies. */
  terms: RooflineTerms
  logMedian: number
  median: number
  /** Part of a step of the median batch that does not grow with it. */
  fixed: number
  priorPrecision: number
  dataPrecision: number
}

export const batchPrior = (
  terms: RooflineTerms,
  { median, sigma, latencySigma }: EnergyFactors['concurrency']
): BatchPrior => ({
  terms,
  logMedian: Math.log(median),
  median,
  fixed: fixedSeconds(terms, median),
  priorPrecision: 1 / (sigma * sigma),
  dataPrecision: 1 / (latencySigma * latencySigma)
})

/**
 * Mean running requests that explain the latency best, into `into`.
 * @param marginal what each request adds to a step, in the unit of `observed`.
 */
export const concurrencyFromLatency = (
  prior: BatchPrior,
  marginal: number,
  observed: number,
  into: InferredConcurrency
): void => {
  const { terms, logMedian, priorPrecision, dataPrecision } = prior
  let logBatch = logMedian
  let batch = prior.median
  let fixed = prior.fixed
  let curvature = 1
  for (let step = 0; step < CONCURRENCY_STEPS; step += 1) {
    if (step > 0) {
      batch = exp(logBatch)
      fixed = fixedSeconds(terms, batch)
    }
    const missed = terms.step + terms.experts - fixed
    const predicted = fixed + batch * marginal
    const elasticity = (batch * (marginal - missed * terms.logMiss)) / predicted
    const gradient =
      elasticity * dataPrecision * Math.log(observed / predicted) -
      priorPrecision * (logBatch - logMedian)
    curvature = elasticity * elasticity * dataPrecision + priorPrecision
    logBatch = clamp(
      logBatch + clamp(gradient / curvature, -LOG_STEP_MAX, LOG_STEP_MAX),
      0,
      LOG_BATCH_MAX
    )
  }
  into.batch = exp(logBatch)
  into.logSigma = 1 / Math.sqrt(curvature)
}

const clamp = (value: number, low: number, high: number): number =>
  value < low ? low : value > high ? high : value
