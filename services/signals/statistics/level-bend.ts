import { L, SPLIT } from './level-record.ts'
import { before, segmentOf, SIDE_POINTS_MIN, since, type Sums } from './level-segment.ts'

/**
 * Finds where a series that climbs or falls took another slope: two lines that meet, against one
 * straight line, by a generalised likelihood ratio over all places of the running segment that are
 * kept. It asks more than a change of level does, in four ways. A slope needs twice the points. Its
 * location and its turn are paid for (the Bayesian information criterion). Residuals around fitted
 * lines seem to move together less than they do, which is made good. And the turn must matter.
 */

/** Places a side of a bend has at least: as many for each of a line's two numbers as for a level. */
const BEND_POINTS_MIN = 2 * SIDE_POINTS_MIN
/** Level, slope, turn and its place are fitted. */
const FITTED = 4
/**
 * Share of the deviation of all points by which two lines differ from one, at least (root mean
 * square): as two levels do that lie 0.2 deviations apart, by Cohen's convention a small effect.
 * Long smooth series have bends that are beyond doubt and of no matter.
 */
const EFFECT_MIN = 0.1
/** What is left of squares after sums are subtracted is rounding below this share. */
const ROUNDING = 1e-12

/** A straight line: its value at the middle, its slope per point, squares left around it. */
type Line = { mean: number; slope: number; left: number }

export type Bend = {
  /** Where the place is kept. */
  split: number
  /** Slope per point before and after. */
  slopes: readonly [number, number]
  /** Evidence against one straight line. */
  nats: number
  /** How many independent points the segment is worth. */
  places: number
}

/** Σ over places of the squared distance from their middle. */
const spreadOfPlaces = (points: number): number => (points * (points * points - 1)) / 12

export const lineThrough = ({ points, sum, squares, byPlace }: Sums): Line => {
  const mean = sum / points
  const covariance = byPlace - (sum * (points - 1)) / 2
  const slope = covariance / spreadOfPlaces(points)
  return { mean, slope, left: Math.max(0, squares - mean * sum - slope * covariance) }
}

/** The likeliest bend of the running segment; null where none is worth a question. */
export const likeliestBend = (d: Float64Array, at: number): Bend | null => {
  const all = segmentOf(d, at)
  const line = lineThrough(all)
  const rounding = ROUNDING * all.squares
  const best = bestBend(d, at, line)
  if (best === null || line.left <= rounding) return null
  const { split, turn, gain } = best
  const overall = d[at + L.squares]! / d[at + L.points]!
  if (gain < EFFECT_MIN ** 2 * overall * all.points) return null
  const left = line.left - gain
  const [start, slope] = firstLine(all, line, { k: d[split]!, turn })
  const together =
    left <= rounding
      ? 0
      : (productsAround(before(d, at, split), start, slope) +
          productsAround(since(d, split, all), start + slope * d[split]!, slope + turn)) /
        left
  const freedom = freedomOf(together, all.points)
  const ratio = Math.log(line.left / Math.max(left, rounding)) / 2
  return {
    split,
    slopes: [slope, slope + turn],
    nats: (all.points - FITTED) * freedom * ratio,
    places: Math.max(1, all.points * freedom)
  }
}

type Turn = { split: number; turn: number; gain: number }

const bestBend = (d: Float64Array, at: number, line: Line): Turn | null => {
  let best: Turn | null = null
  for (let i = 0; i < d[at + L.splits]!; i++) {
    const split = at + L.split + i * SPLIT
    if (d[split]! < BEND_POINTS_MIN) continue
    if (d[at + L.segmentPoints]! - d[split]! < BEND_POINTS_MIN) break
    const { turn, gain } = turnAt(d, at, split, line)
    if (best === null || gain > best.gain) best = { split, turn, gain }
  }
  return best
}

/** A ramp that is zero up to place k: its sum, and its slope against all places. */
const rampOf = (points: number, k: number): { sum: number; squares: number; slope: number } => {
  const m = points - k
  const sum = (m * (m - 1)) / 2
  const squares = (sum * (2 * m - 1)) / 3
  const along = squares + k * sum - ((points - 1) / 2) * sum
  return { sum, squares, slope: along / spreadOfPlaces(points) }
}

/** Change of slope that fits best at a place, and the squares that it explains beyond the line. */
const turnAt = (d: Float64Array, at: number, split: number, { mean, slope }: Line) => {
  const points = d[at + L.segmentPoints]!
  const k = d[split]!
  const ramp = rampOf(points, k)
  const rest = d[at + L.sum]! - d[split + 1]!
  const product = d[at + L.sumPlaces]! - d[split + 6]! - k * rest
  // The ramp less what a straight line explains of it.
  const spread = spreadOfPlaces(points)
  const own = ramp.squares - (ramp.sum * ramp.sum) / points - ramp.slope * ramp.slope * spread
  const turn = (product - mean * ramp.sum - slope * ramp.slope * spread) / own
  return { turn, gain: turn * turn * own }
}

/** The line before the bend, as its value at place zero and its slope. */
const firstLine = (
  { points }: Sums,
  { mean, slope }: Line,
  { k, turn }: { k: number; turn: number }
): [start: number, slope: number] => {
  const ramp = rampOf(points, k)
  const own = slope - turn * ramp.slope
  return [mean - (turn * ramp.sum) / points - (own * (points - 1)) / 2, own]
}

/** Σ of products of neighbouring residuals around a line. */
const productsAround = (
  { points: m, sum, products, byPlace, first, last }: Sums,
  start: number,
  slope: number
): number =>
  products -
  start * (2 * sum - first - last) -
  slope * (2 * byPlace - m * last + first) +
  (m - 1) * start * start +
  start * slope * (m - 1) ** 2 +
  (slope * slope * (m - 2) * (m - 1) * m) / 3

/**
 * Independent points for each point. The correlation of residuals around p fitted numbers is too
 * small by (p + (p+2)ρ)/n (Kendall; Marriott and Pope, for smooth regressors).
 */
const freedomOf = (together: number, points: number): number => {
  const seen = Math.max(0, together)
  const correlation = together + (FITTED + (FITTED + 2) * seen) / points
  const bounded = Math.min(1, Math.max(0, correlation))
  return (1 - bounded) / (1 + bounded)
}

/**
 * Whether the later slope is beyond all that the series has had; if so, both are remembered. What
 * rises and falls in waves bends twice a wave: that is its way, and is told while it is new.
 */
export const isNewSlope = (d: Float64Array, at: number, { slopes }: Bend): boolean => {
  const [last, next] = slopes
  const isFirst = d[at + L.bends] === 0
  const least = isFirst ? last : Math.min(last, d[at + L.slopeMin]!)
  const most = isFirst ? last : Math.max(last, d[at + L.slopeMax]!)
  if (next >= least && next <= most) return false
  d[at + L.bends]! += 1
  d[at + L.slopeMin] = Math.min(least, next)
  d[at + L.slopeMax] = Math.max(most, next)
  return true
}
