import { createRecords, layout, type Records } from './records.ts'

/** What is remembered of one series of plain numbers: at most 2 KB, however long it runs. */

/** Places at which the level may have changed, kept per segment: all recent ones, few old ones. */
export const SPLITS = 24
/**
 * Numbers kept per split: points before it, their Σx, Σx², Σ of products of neighbours, the values
 * just before and just after it, and Σ of x times its place in the segment.
 */
export const SPLIT = 7
/** Bins of a histogram of surprises: each 2^(1/3) wide, 2^13 in all. */
export const SURPRISE_BINS = 40
/** Two ways of being surprised: the value against the level of now, that against the usual level. */
export const SURPRISES = 2

const doubles = layout({
  points: 1,
  last: 1,
  /** Mean and sum of squared residuals of all points. */
  mean: 1,
  squares: 1,
  /** Quick and slow level. */
  quick: 1,
  slow: 1,
  /** Unit of surprises: learned from the first ones, then fixed. */
  unit: 1,
  unitPoints: 1,
  nats: SURPRISES,
  /** Points at which alarms speak again. */
  mutedUntil: 1,
  /** Changes of slope told so far, and the range of slopes before and after them. */
  bends: 1,
  slopeMin: 1,
  slopeMax: 1,
  /** The running segment: its first point, the value that sums are taken from, and the sums. */
  segmentStart: 1,
  segmentOrigin: 1,
  segmentFirst: 1,
  segmentPoints: 1,
  sum: 1,
  sumSquares: 1,
  sumProducts: 1,
  sumPlaces: 1,
  splits: 1,
  split: SPLITS * SPLIT
})

const floats = layout({
  surprises: SURPRISES * SURPRISE_BINS,
  /** Steps from point to point: their median says how noisy the series is around its level. */
  steps: SURPRISE_BINS
})

export const L = doubles.at
export const LF = floats.at

export const LEVEL_SHAPE = { doubles: doubles.length, floats: floats.length, bytes: 0 }

export const createLevels = (): Records => createRecords(LEVEL_SHAPE)
