import { medianSize } from './level-histogram.ts'
import { L, LF, SPLIT, SPLITS } from './level-record.ts'
import type { Records } from './records.ts'

/**
 * Finds where the level of a series changed for good: at each point the generalised likelihood
 * ratio of one mean against two, over all places of the running segment that are kept; two means
 * must also explain more than one straight line does. Noise is the larger of what steps from point
 * to point show and most of what all points show; evidence is divided by how much the residuals
 * move together. After a change a new segment starts there.
 */

/** Points that a side of a change has at least: fewer are a spike. */
const SIDE_POINTS_MIN = 6
/** Runs without a false change are at least about this long; the segment's independent places come on top. */
const RUN_LENGTH = 1_000
/** Share of the deviation of all points that noise is at least: level changes are in it too. */
const OVERALL_SHARE = 0.8
/** A normal deviation from the median size of steps. */
const STEP_TO_SD = 1.4826 / Math.SQRT2
/** Residuals are never taken to move together more than this. */
const CORRELATION_MAX = 0.95
const NOISE_MIN = 1e-12

/** Takes one value; returns the index of the first point of a new level, or null. */
export const observeShift = (records: Records, slot: number, value: number): number | null => {
  const d = records.doubles
  const at = slot * records.shape.doubles
  addPoint(d, at, value)
  d[at + L.last] = value
  const points = d[at + L.segmentPoints]!
  if (points < 2 * SIDE_POINTS_MIN) return null
  const noise = noiseOf(records, slot)
  const best = bestSplit(d, at)
  if (best < 0) return null
  const { gain, spread, correlation } = judgeSplit(d, at, best)
  const freedom = (1 - correlation) / (1 + correlation)
  const known = gain / (2 * Math.max(noise * noise, spread))
  // With few points the noise is hardly known, and a likelihood ratio that asks it anew is wiser.
  const asked = ((points - 2) / 2) * Math.log(1 + gain / (points * Math.max(spread, NOISE_MIN)))
  const nats = Math.min(known, asked, beyondLine(d, at, spread)) * freedom
  // Points that move together are fewer places at which the level could seem to change, too.
  const places = Math.max(1, points * freedom)
  if (nats <= Math.log(RUN_LENGTH) / 2 + Math.log(places)) return null
  return restart(d, at, best)
}

const addPoint = (d: Float64Array, at: number, value: number): void => {
  const points = d[at + L.segmentPoints]!
  if (points === 0) {
    d[at + L.segmentOrigin] = value
    d[at + L.segmentFirst] = value
  }
  const x = value - d[at + L.segmentOrigin]!
  const previous = points === 0 ? 0 : d[at + L.last]! - d[at + L.segmentOrigin]!
  if (points >= SIDE_POINTS_MIN) keepSplit(d, at, [previous, x])
  d[at + L.segmentPoints] = points + 1
  d[at + L.sum]! += x
  d[at + L.sumSquares]! += x * x
  d[at + L.sumProducts]! += x * previous
  d[at + L.sumPlaces]! += x * points
}

/** Keeps the sums so far as a place to split; when full, the old places thin out. */
const keepSplit = (d: Float64Array, at: number, [before, after]: [number, number]): void => {
  if (d[at + L.splits]! === SPLITS) dropSplit(d, at)
  const split = at + L.split + d[at + L.splits]! * SPLIT
  d[split] = d[at + L.segmentPoints]!
  d[split + 1] = d[at + L.sum]!
  d[split + 2] = d[at + L.sumSquares]!
  d[split + 3] = d[at + L.sumProducts]!
  d[split + 4] = before
  d[split + 5] = after
  d[split + 6] = d[at + L.sumPlaces]!
  d[at + L.splits]! += 1
}

/** Recent places that are never dropped. */
const RECENT = 2 * SIDE_POINTS_MIN

/** Drops the place whose neighbours lie closest together, measured by their age. */
const dropSplit = (d: Float64Array, at: number): void => {
  const first = at + L.split
  const now = d[at + L.segmentPoints]!
  let best = 1
  let closest = Infinity
  for (let i = 1; i < SPLITS - RECENT; i++) {
    const gap = d[first + (i + 1) * SPLIT]! - d[first + (i - 1) * SPLIT]!
    const relative = gap / (now - d[first + i * SPLIT]! + 1)
    if (relative < closest) [closest, best] = [relative, i]
  }
  d.copyWithin(first + best * SPLIT, first + (best + 1) * SPLIT, first + SPLITS * SPLIT)
  d[at + L.splits]! -= 1
}

const noiseOf = ({ doubles: d, floats: f, shape }: Records, slot: number): number => {
  const at = slot * shape.doubles
  const step = medianSize(f, slot * shape.floats + LF.steps, d[at + L.unit]!)
  const overall = Math.sqrt(d[at + L.squares]! / Math.max(1, d[at + L.points]!))
  return Math.max(STEP_TO_SD * step, OVERALL_SHARE * overall, NOISE_MIN)
}

/** Sum of squares that two means explain beyond one, at a split. */
const gainAt = (d: Float64Array, at: number, split: number): number => {
  const n = d[at + L.segmentPoints]!
  const left = d[split]!
  const difference = d[split + 1]! / left - (d[at + L.sum]! - d[split + 1]!) / (n - left)
  return (difference * difference * left * (n - left)) / n
}

const bestSplit = (d: Float64Array, at: number): number => {
  let best = -1
  let most = -Infinity
  for (let i = 0; i < d[at + L.splits]!; i++) {
    const split = at + L.split + i * SPLIT
    if (d[at + L.segmentPoints]! - d[split]! < SIDE_POINTS_MIN) break
    const gain = gainAt(d, at, split)
    if (gain > most) [most, best] = [gain, split]
  }
  return best
}

/**
 * Evidence for two levels against one straight line, of as many parameters: what rises or falls
 * steadily has no place where its level changed.
 */
const beyondLine = (d: Float64Array, at: number, spread: number): number => {
  const n = d[at + L.segmentPoints]!
  const mean = d[at + L.sum]! / n
  const covariance = d[at + L.sumPlaces]! - (mean * n * (n - 1)) / 2
  const explained = (12 * covariance * covariance) / (n * (n * n - 1))
  const left = Math.max(0, d[at + L.sumSquares]! - mean * d[at + L.sum]! - explained)
  return left <= 0 ? 0 : (n / 2) * Math.log(left / n / Math.max(spread, NOISE_MIN * left))
}

type Judged = { gain: number; spread: number; correlation: number }

/** What a split gains, the variance left on its sides, and how residuals there move together. */
const judgeSplit = (d: Float64Array, at: number, split: number): Judged => {
  const n = d[at + L.segmentPoints]!
  const [k, sum, squares, products, before, after] = d.subarray(
    split,
    split + SPLIT
  ) as unknown as [number, number, number, number, number, number]
  const last = d[at + L.last]! - d[at + L.segmentOrigin]!
  const first = d[at + L.segmentFirst]! - d[at + L.segmentOrigin]!
  const left = { n: k, sum, squares, products, first, last: before }
  const right = {
    n: n - k,
    sum: d[at + L.sum]! - sum,
    squares: d[at + L.sumSquares]! - squares,
    products: d[at + L.sumProducts]! - products - before * after,
    first: after,
    last
  }
  const spread = squaresOf(left) + squaresOf(right)
  const correlation = spread > 0 ? (productsOf(left) + productsOf(right)) / spread : 0
  return {
    gain: gainAt(d, at, split),
    spread: Math.max(0, spread) / n,
    correlation: Math.min(CORRELATION_MAX, Math.max(0, correlation))
  }
}

type Side = {
  n: number
  sum: number
  squares: number
  products: number
  first: number
  last: number
}

/** Σ of squared residuals around the side's mean. */
const squaresOf = ({ n, sum, squares }: Side): number => squares - (sum * sum) / n

/** Σ of products of neighbouring residuals. */
const productsOf = ({ n, sum, products, first, last }: Side): number => {
  const mean = sum / n
  return products - mean * (2 * sum - first - last) + (n - 1) * mean * mean
}

/** The segment goes on from the split; places before it are forgotten. */
const restart = (d: Float64Array, at: number, split: number): number => {
  d[at + L.segmentStart]! += d[split]!
  d[at + L.segmentPoints]! -= d[split]!
  d[at + L.sum]! -= d[split + 1]!
  d[at + L.sumSquares]! -= d[split + 2]!
  d[at + L.sumProducts]! -= d[split + 3]! + d[split + 4]! * d[split + 5]!
  // Places count from the new start: Σx·(i−k) over what is left.
  d[at + L.sumPlaces] = d[at + L.sumPlaces]! - d[split + 6]! - d[split]! * d[at + L.sum]!
  d[at + L.segmentFirst] = d[split + 5]! + d[at + L.segmentOrigin]!
  d[at + L.splits] = 0
  return d[at + L.segmentStart]!
}
