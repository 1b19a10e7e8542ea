import { AT } from './deployment-numbers.ts'
import { exp } from './exponential.ts'
import { log } from './logarithm.ts'

/**
 * Concurrency from inter-token latency. A step takes longer the more requests share it, so the
 * latency that a caller sees tells the batch, as far as the step depends on it. The mode of the
 * posterior (log-normal prior, log-normal error of the latency model) is approached by two
 * Gauss-Newton steps in ln(batch): two, because a third moves held-out error by less than 0.3
 * points, and each is paid per event. The curvature at the last step gives the spread.
 */

/** Calls of a block whose latency tells their batch, one after the other. */
export type TimedCalls = {
  count: number
  /** Rows of the block. */
  rows: Int32Array
  /** Milliseconds per output token that were seen, and those that each request adds to a step. */
  observed: Float64Array
  marginal: Float64Array
  /** Used on the way. */
  logBatch: Float64Array
}

/** Figures of deployments, and where in them those of each row's deployment begin. */
export type PlacedNumbers = { numbers: Float64Array; place: Int32Array }

/** No step moves the batch by more than a factor of twelve; a flat latency would send it anywhere. */
const LOG_STEP_MAX = 2.5
/** exp(7) = 1,097 running requests: the most that one replica of the reference set runs well. */
const LOG_BATCH_MAX = 7

/**
 * Mean running requests that explain the latency best into `batch`, and the variance of their
 * logarithm into `variance`, at the rows of `timed`.
 */
export const inferBatches = (
  of: PlacedNumbers,
  timed: TimedCalls,
  into: { batch: Float64Array; variance: Float64Array }
): void => {
  stepFromMedian(of, timed)
  stepAgain(of, timed, into.variance)
  const { count, rows, logBatch } = timed
  for (let at = 0; at < count; at += 1) into.batch[rows[at]!] = exp(logBatch[at]!)
}

/** The first step, from the median batch, whose figures a deployment has ready. */
const stepFromMedian = ({ numbers, place }: PlacedNumbers, timed: TimedCalls): void => {
  const { count, rows, observed, marginal, logBatch } = timed
  for (let at = 0; at < count; at += 1) {
    const n = place[rows[at]!]!
    const fixed = numbers[n + AT.medianFixedMs]!
    const missed = numbers[n + AT.stepMs]! + numbers[n + AT.expertsMs]! - fixed
    const predicted = fixed + numbers[n + AT.median]! * marginal[at]!
    const elasticity =
      (numbers[n + AT.median]! * (marginal[at]! - missed * numbers[n + AT.logMiss]!)) / predicted
    const evidence = elasticity * numbers[n + AT.dataPrecision]!
    const gradient = evidence * log(observed[at]! / predicted)
    const curvature = elasticity * evidence + numbers[n + AT.priorPrecision]!
    logBatch[at] = moved(numbers[n + AT.logMedian]!, gradient / curvature)
  }
}

const stepAgain = (
  { numbers, place }: PlacedNumbers,
  { count, rows, observed, marginal, logBatch }: TimedCalls,
  variance: Float64Array
): void => {
  for (let at = 0; at < count; at += 1) {
    const n = place[rows[at]!]!
    const from = logBatch[at]!
    const batch = exp(from)
    const experts = numbers[n + AT.expertsMs]!
    const missed = experts === 0 ? 0 : experts * exp(batch * numbers[n + AT.logMiss]!)
    const predicted = numbers[n + AT.stepMs]! + experts - missed + batch * marginal[at]!
    const elasticity = (batch * (marginal[at]! - missed * numbers[n + AT.logMiss]!)) / predicted
    const evidence = elasticity * numbers[n + AT.dataPrecision]!
    const gradient =
      evidence * log(observed[at]! / predicted) -
      numbers[n + AT.priorPrecision]! * (from - numbers[n + AT.logMedian]!)
    const curvature = elasticity * evidence + numbers[n + AT.priorPrecision]!
    logBatch[at] = moved(from, gradient / curvature)
    variance[rows[at]!] = 1 / curvature
  }
}

const moved = (from: number, step: number): number => {
  const bound = step > LOG_STEP_MAX ? LOG_STEP_MAX : step < -LOG_STEP_MAX ? -LOG_STEP_MAX : step
  const to = from + bound
  return to < 0 ? 0 : to > LOG_BATCH_MAX ? LOG_BATCH_MAX : to
}
