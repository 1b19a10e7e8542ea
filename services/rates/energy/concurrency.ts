import { AT } from './deployment-numbers.ts'
import { exp } from './exponential.ts'
import { logAll } from './logarithm.ts'

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
  // Used on the way; `bits` are those of `ratio`.
  logBatch: Float64Array
  elasticity: Float64Array
  ratio: Float64Array
  bits: Uint32Array
}

export const timedCalls = (rows: number): TimedCalls => {
  const column = () => new Float64Array(rows)
  const ratio = column()
  return {
    count: 0,
    rows: new Int32Array(rows),
    observed: column(),
    marginal: column(),
    logBatch: column(),
    elasticity: column(),
    ratio,
    bits: new Uint32Array(ratio.buffer)
  }
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
  compareMedian(of, timed)
  logAll(timed.ratio, timed.bits, timed.count)
  stepFromMedian(of, timed)
  compareAgain(of, timed)
  logAll(timed.ratio, timed.bits, timed.count)
  stepAgain(of, timed, into)
}

/** The latency at the median batch, whose figures a deployment has ready. */
const compareMedian = (
  { numbers, place }: PlacedNumbers,
  { count, rows, observed, marginal, elasticity, ratio }: TimedCalls
): void => {
  for (let at = 0; at < count; at += 1) {
    const n = place[rows[at]!]!
    const grown = numbers[n + AT.median]! * marginal[at]!
    const inverse = 1 / (numbers[n + AT.medianFixedMs]! + grown)
    elasticity[at] = (grown + numbers[n + AT.medianReadMs]!) * inverse
    ratio[at] = observed[at]! * inverse
  }
}

/** The first step, from the median batch. */
const stepFromMedian = (
  { numbers, place }: PlacedNumbers,
  { count, rows, elasticity, ratio, logBatch }: TimedCalls
): void => {
  for (let at = 0; at < count; at += 1) {
    const n = place[rows[at]!]!
    const evidence = elasticity[at]! * numbers[n + AT.dataPrecision]!
    const curvature = elasticity[at]! * evidence + numbers[n + AT.priorPrecision]!
    logBatch[at] = moved(numbers[n + AT.logMedian]!, (evidence * ratio[at]!) / curvature)
  }
}

/** The latency at the batch that the first step came to. */
const compareAgain = (
  { numbers, place }: PlacedNumbers,
  { count, rows, observed, marginal, elasticity, ratio, logBatch }: TimedCalls
): void => {
  for (let at = 0; at < count; at += 1) {
    const n = place[rows[at]!]!
    const batch = exp(logBatch[at]!)
    const experts = numbers[n + AT.expertsMs]!
    const missed = experts === 0 ? 0 : experts * exp(batch * numbers[n + AT.logMiss]!)
    const grown = batch * marginal[at]!
    const inverse = 1 / (numbers[n + AT.stepMs]! + experts - missed + grown)
    elasticity[at] = (grown - batch * missed * numbers[n + AT.logMiss]!) * inverse
    ratio[at] = observed[at]! * inverse
  }
}

const stepAgain = (
  { numbers, place }: PlacedNumbers,
  { count, rows, elasticity, ratio, logBatch }: TimedCalls,
  { batch, variance }: { batch: Float64Array; variance: Float64Array }
): void => {
  for (let at = 0; at < count; at += 1) {
    const row = rows[at]!
    const n = place[row]!
    const from = logBatch[at]!
    const prior = numbers[n + AT.priorPrecision]!
    const evidence = elasticity[at]! * numbers[n + AT.dataPrecision]!
    const spread = 1 / (elasticity[at]! * evidence + prior)
    const gradient = evidence * ratio[at]! - prior * (from - numbers[n + AT.logMedian]!)
    variance[row] = spread
    batch[row] = exp(moved(from, gradient * spread))
  }
}

const moved = (from: number, step: number): number => {
  const bound = step > LOG_STEP_MAX ? LOG_STEP_MAX : step < -LOG_STEP_MAX ? -LOG_STEP_MAX : step
  const to = from + bound
  return to < 0 ? 0 : to > LOG_BATCH_MAX ? LOG_BATCH_MAX : to
}
