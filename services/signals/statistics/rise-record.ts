import { createRecords, layout, type Records } from './records.ts'

/**
 * What is remembered of one share of bad outcomes (k of n): retries among calls, first attempts
 * that miss their schema, turns answered by another model than the turn before.
 */

/** Odds ratios that are mixed over. */
export const RISES = [1.5, 3, 8] as const
/** Cumulative sums kept per snapshot: time, n, k and three sums of the signal's own. */
export const RISE_SNAPSHOT = 6
/** Snapshots every 12 hours: the "before" of a finding reaches back 24 to 36 hours. */
export const RISE_ANCHORS = 3
export const RISE_HOURS = 24

/**
 * What every window reads or writes comes first and together: records lie in memory one behind the
 * other, and each stretch of 64 bytes that a window touches is waited for.
 */
const doubles = layout({
  /** Time of the latest window. */
  lastMs: 1,
  day: 1,
  windows: 1,
  daysLearned: 1,
  /** Decayed k and n of learned days. */
  levelK: 1,
  levelN: 1,
  /** The share over all hours of day, from the floats below. */
  hoursShare: 1,
  /** Until a day is learned: k and n, then what is held back under evidence. */
  early: 2,
  held: 2,
  /** 0 while nothing is open, else when it opened. */
  openMs: 1,
  /** Which anchor is the next to be overwritten, and the time of the latest. */
  anchorNext: 1,
  anchorMs: 1,
  /** Squared residuals of windows and of hours, and what independence would have given. */
  windowSquares: 1,
  windowVariance: 1,
  hourSquares: 1,
  hourVariance: 1,
  /** The running hour. */
  hour: 1,
  hourResidual: 1,
  hourOwn: 1,
  evidence: RISES.length,
  /** What each bet has to reach, where that is its own: see `rise-alarm.ts`. */
  asked: RISES.length,
  /** Totals, laid out like a snapshot: time of the latest window, n, k and the three sums. */
  totals: RISE_SNAPSHOT,
  /** Days and the running one. */
  daySquares: 1,
  dayVariance: 1,
  dayResidual: 1,
  dayOwn: 1,
  firstMs: 1,
  /** Cumulative sums when the evidence of a bet last left zero. */
  restarts: RISE_SNAPSHOT * RISES.length,
  anchors: RISE_SNAPSHOT * RISE_ANCHORS,
  startedMs: 1,
  resolvedMs: 1,
  incidentDay: 1,
  shareAfter: 1,
  recovery: 1
})

const floats = layout({
  /** Per hour of day: decayed k and n, and those of the running day. */
  hourK: RISE_HOURS,
  hourN: RISE_HOURS,
  dayK: RISE_HOURS,
  dayN: RISE_HOURS
})

export const R = doubles.at
export const RF = floats.at

export const RISE_SHAPE = { doubles: doubles.length, floats: floats.length, bytes: 0 }

export const createRises = (): Records => createRecords(RISE_SHAPE)

/** One window of one share. `expected` replaces the series' own baseline where it is a number. */
export type Tally = {
  /** Trials, and the bad ones among them. */
  n: number
  k: number
  /** Sums of the signal's own that findings tell of before and after: attempts, cost … */
  sums: readonly [number, number, number]
  expected?: number
}
