import { createRecords, layout, type Records } from './records.ts'

/**
 * What is remembered of one rate-like series. The rate is watched as two statistics: 0 is the
 * ratio of sums Σh/Σw, which the bill sees; 1 is the mean of the ratios, which is less noisy.
 */

export const STATISTICS = 2
/** Relative drops that are mixed over: the first two in the slow branch, the rest in the fast. */
export const DROPS = [0.12, 0.25, 0.25, 0.5, 0.75] as const
export const SLOW_DROPS = 2
export const HOURS = 24
export const HOURS_OF_WEEK = 168
/** Cumulative sums kept per snapshot: time, events, Σw, Σh, Σ cost in pico-dollars. */
export const SNAPSHOT = 5
/** Snapshots every 12 hours: the "before" of a finding reaches back 24 to 36 hours. */
export const ANCHORS = 3

const doubles = layout({
  firstMs: 1,
  /** First window since which the baseline is learned: later than `firstMs` once it was forgotten. */
  learnedFromMs: 1,
  lastMs: 1,
  day: 1,
  windows: 1,
  daysLearned: 1,
  /** Level: decayed Σ of numerator and denominator per statistic, and the overall of the shape. */
  levelNumerator: STATISTICS,
  levelDenominator: STATISTICS,
  level: STATISTICS,
  overall: STATISTICS,
  levelError: STATISTICS,
  /** Moments of squared residuals r² against κ. */
  momentN: STATISTICS,
  momentK: STATISTICS,
  momentKK: STATISTICS,
  momentR: STATISTICS,
  momentKR: STATISTICS,
  /** Products of residuals of neighbouring windows. */
  lagSum: STATISTICS,
  lagN: STATISTICS,
  lagPrevious: STATISTICS,
  /** Batch means of standardised residuals. */
  batchSum: STATISTICS,
  batchN: STATISTICS,
  inflationSum: STATISTICS,
  inflationN: STATISTICS,
  /** Derived once a day: variance between windows, per request, latent, inflation. */
  varianceBetween: STATISTICS,
  varianceRequest: STATISTICS,
  varianceLatent: STATISTICS,
  inflation: STATISTICS,
  /** Log-evidence per statistic and drop. */
  evidence: STATISTICS * DROPS.length,
  /** Cumulative sums when the evidence of a drop last left zero. */
  restarts: SNAPSHOT * DROPS.length,
  totalN: 1,
  totalW: 1,
  totalH: 1,
  totalCost: 1,
  anchors: SNAPSHOT * ANCHORS,
  anchorNext: 1,
  /** First day, until a level is learned: Σh, Σw, Σx, n; then what is held back under evidence. */
  early: 4,
  held: 4,
  /** 0 while nothing is open, else when it opened. */
  openMs: 1,
  resolvedMs: 1,
  incidentDay: 1,
  startedMs: 1,
  rateAfter: 1,
  recovery: 1,
  silentWindows: 1,
  /** Latest windows in which the cache was written, and read. */
  lastWriteMs: 1,
  lastHitMs: 1
})

const floats = layout({
  /** Per hour of day and statistic: decayed numerator and denominator. */
  hourNumerator: STATISTICS * HOURS,
  hourDenominator: STATISTICS * HOURS,
  /** The running day, merged at its end. */
  dayNumerator: STATISTICS * HOURS,
  dayDenominator: STATISTICS * HOURS
})

const bytes = layout({
  /** Deviation of the hour of week from the hour of day, in thousandths. */
  week: HOURS_OF_WEEK
})

export const D = doubles.at
export const F = floats.at
export const B = bytes.at

export const RATE_SHAPE = {
  doubles: doubles.length,
  floats: floats.length,
  bytes: bytes.length
}

export const createRates = (): Records => createRecords(RATE_SHAPE)

/** Sums of one window of one series. `x` is the sum of the events' own ratios. */
export type Sample = {
  n: number
  w: number
  h: number
  ww: number
  x: number
  /** Cost in pico-dollars; 0 when nothing was priced. */
  cost: number
}
