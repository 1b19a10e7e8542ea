import { isNewSlope, likeliestBend, lineThrough } from './level-bend.ts'
import { medianSize } from './level-histogram.ts'
import { L, LF, SPLIT } from './level-record.ts'
import {
  addPoint,
  before,
  restart,
  segmentOf,
  SIDE_POINTS_MIN,
  since,
  type Sums
} from './level-segment.ts'
import type { Records } from './records.ts'

/**
 * Finds where a series changed for good: at each point the generalised likelihood ratio of one mean
 * against two, over all places of the running segment that are kept; two means must also explain
 * more than one straight line does. Noise is the larger of what steps from point to point show and
 * most of what all points show; evidence is divided by how much the residuals move together. What
 * climbs or falls may have changed its slope instead: `level-bend.ts`. After a change a new segment
 * starts there.
 */

/**
 * Runs without a false change are at least about this long where points hardly move together, and
 * two thirds of it where each keeps nine tenths of the one before; the segment's independent places
 * come on top.
 */
const RUN_LENGTH = 1_000
/** Share of the deviation of all points that noise is at least: level changes are in it too. */
const OVERALL_SHARE = 0.8
/** A normal deviation from the median size of steps. */
const STEP_TO_SD = 1.4826 / Math.SQRT2
/** Residuals are never taken to move together more than this. */
const CORRELATION_MAX = 0.95
const NOISE_MIN = 1e-12
const RUN_NATS = Math.log(RUN_LENGTH) / 2

/** Takes one value; returns the index of the first point of a new level or slope, or null. */
export const observeShift = (records: Records, slot: number, value: number): number | null => {
  const d = records.doubles
  const at = slot * records.shape.doubles
  addPoint(d, at, value)
  if (d[at + L.segmentPoints]! < 2 * SIDE_POINTS_MIN) return null
  const level = changedLevel(records, slot)
  if (level !== null) return restart(d, at, level)
  const bend = likeliestBend(d, at)
  // A turn is one number more than a place: half of ln n, as the criterion has it.
  if (bend === null || bend.nats <= RUN_NATS + 1.5 * Math.log(bend.places)) return null
  return isNewSlope(d, at, bend) ? restart(d, at, bend.split) : null
}

/** The place at which the level changed, or null. */
const changedLevel = (records: Records, slot: number): number | null => {
  const d = records.doubles
  const at = slot * records.shape.doubles
  const points = d[at + L.segmentPoints]!
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
  return nats > RUN_NATS + Math.log(places) ? best : null
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
  const { left } = lineThrough(segmentOf(d, at))
  return left <= 0 ? 0 : (n / 2) * Math.log(left / n / Math.max(spread, NOISE_MIN * left))
}

type Judged = { gain: number; spread: number; correlation: number }

/** What a split gains, the variance left on its sides, and how residuals there move together. */
const judgeSplit = (d: Float64Array, at: number, split: number): Judged => {
  const sides = [before(d, at, split), since(d, split, segmentOf(d, at))] as const
  const squares = squaresOf(sides[0]) + squaresOf(sides[1])
  const products = productsOf(sides[0]) + productsOf(sides[1])
  return {
    gain: gainAt(d, at, split),
    spread: Math.max(0, squares) / d[at + L.segmentPoints]!,
    correlation: Math.min(CORRELATION_MAX, Math.max(0, squares > 0 ? products / squares : 0))
  }
}

/** Σ of squared residuals around the side's mean. */
const squaresOf = ({ points, sum, squares }: Sums): number => squares - (sum * sum) / points

/** Σ of products of neighbouring residuals. */
const productsOf = ({ points, sum, products, first, last }: Sums): number => {
  const mean = sum / points
  return products - mean * (2 * sum - first - last) + (points - 1) * mean * mean
}
