import { R, RF, RISE_HOURS } from './rise-record.ts'
import type { Records } from './records.ts'

/**
 * The share that is expected now: a level (half-life 2 days of traffic) times the shape of the day
 * (half-life 7, shrunk to the level where trials are few). Merged at midnight UTC, so that an hour
 * never teaches itself. Days without traffic age nothing: what was known last is still the best.
 */

const LEVEL_DECAY = 0.7
const SHAPE_DECAY = 0.9
const NOISE_DECAY = 0.9
/** Trials at which an hour's own share weighs as much as the level. */
const SHRINK_TRIALS = 200
/** Pseudo-trials: a share of which no bad one was seen yet is not zero. */
const PRIOR_K = 0.5
const PRIOR_N = 1
/** Noise beyond independence before any is measured, and how many bad outcomes outweigh it. */
const DISPERSION_PRIOR = 1.5
const DISPERSION_WEIGHT = 5
/** Residuals beyond this many standard deviations are cut: an incident must not teach noise. */
const WINSOR_SD = 3
/** Until a day is learned, windows under more evidence than this wait. */
const HOLD_NATS = 0.5
const SHARE_MIN = 0.0005
const SHARE_MAX = 0.98
const HOUR_MS = 3_600_000

export const clampShare = (share: number): number => Math.min(SHARE_MAX, Math.max(SHARE_MIN, share))

export const hourIndex = (ms: number): number => Math.floor(ms / HOUR_MS)

/** Trials that the baseline rests on. */
export const knownTrials = (d: Float64Array, at: number): number =>
  d[at + R.daysLearned]! > 0 ? d[at + R.levelN]! : d[at + R.early + 1]!

export const expectedShare = (records: Records, slot: number, ms: number): number => {
  const { doubles: d, shape } = records
  const at = slot * shape.doubles
  if (d[at + R.daysLearned]! === 0) {
    return clampShare((d[at + R.early]! + PRIOR_K) / (d[at + R.early + 1]! + PRIOR_N))
  }
  const level = (d[at + R.levelK]! + PRIOR_K) / (d[at + R.levelN]! + PRIOR_N)
  return clampShare(level * shapeAt(records, slot, hourIndex(ms) % RISE_HOURS))
}

/** How much this hour of day differs from the day, as a factor. */
const shapeAt = ({ doubles, floats: f, shape }: Records, slot: number, hour: number): number => {
  const at = slot * shape.floats
  const overall = doubles[slot * shape.doubles + R.hoursShare]!
  const own = f[at + RF.hourK + hour]! + overall * SHRINK_TRIALS
  return own / (f[at + RF.hourN + hour]! + SHRINK_TRIALS) / overall
}

/** Sums up the hours for `shapeAt`: to be called whenever they change. */
export const sumHours = ({ doubles, floats: f, shape }: Records, slot: number): void => {
  const at = slot * shape.floats
  let [k, n] = [PRIOR_K, PRIOR_N]
  for (let i = 0; i < RISE_HOURS; i++) {
    k += f[at + RF.hourK + i]!
    n += f[at + RF.hourN + i]!
  }
  doubles[slot * shape.doubles + R.hoursShare] = k / n
}

const ratio = (squares: number, variance: number): number =>
  Math.max(1, (squares + DISPERSION_PRIOR * DISPERSION_WEIGHT) / (variance + DISPERSION_WEIGHT))

/** Variance over what independent trials would have: outcomes of one cause count together. */
export const dispersion = (d: Float64Array, at: number): number =>
  Math.max(
    ratio(d[at + R.windowSquares]!, d[at + R.windowVariance]!),
    ratio(d[at + R.hourSquares]!, d[at + R.hourVariance]!)
  )

/** Standard error of the baseline: days that differ more than trials explain widen it. */
export const levelError = (d: Float64Array, at: number, share: number): number => {
  const days = ratio(d[at + R.daySquares]!, d[at + R.dayVariance]!)
  const noise = Math.max(days, dispersion(d, at))
  return Math.sqrt((noise * share * (1 - share)) / (knownTrials(d, at) + PRIOR_N))
}

/** What a window teaches about noise. */
export const learnNoise = (
  d: Float64Array,
  at: number,
  window: { n: number; k: number; expected: number; ms: number }
): void => {
  const { n, k, expected, ms } = window
  const own = n * expected * (1 - expected)
  const bound = WINSOR_SD * Math.sqrt(own * dispersion(d, at))
  const residual = Math.min(bound, Math.max(-bound, k - n * expected))
  d[at + R.windowSquares]! += residual * residual
  d[at + R.windowVariance]! += own
  const hour = hourIndex(ms)
  if (hour !== d[at + R.hour]!) closeHour(d, at)
  d[at + R.hour] = hour
  d[at + R.hourResidual]! += residual
  d[at + R.hourOwn]! += own
}

const closeHour = (d: Float64Array, at: number): void => {
  const residual = d[at + R.hourResidual]!
  d[at + R.hourSquares]! += residual * residual
  d[at + R.hourVariance]! += d[at + R.hourOwn]!
  d[at + R.dayResidual]! += residual
  d[at + R.dayOwn]! += d[at + R.hourOwn]!
  d.fill(0, at + R.hourResidual, at + R.hourOwn + 1)
}

/** On the first day: what came under suspicion waits until that is gone. */
export const learnEarly = (
  d: Float64Array,
  at: number,
  { n, k }: { n: number; k: number },
  suspicion: number
): void => {
  const held = at + R.held
  d[held]! += k
  d[held + 1]! += n
  if (suspicion > HOLD_NATS) return
  d[at + R.early]! += d[held]!
  d[at + R.early + 1]! += d[held + 1]!
  d[held] = d[held + 1] = 0
}

export const learnShare = (
  records: Records,
  slot: number,
  tally: { n: number; k: number },
  ms: number
): void => {
  const { floats: f, shape } = records
  const at = slot * shape.floats + (hourIndex(ms) % RISE_HOURS)
  f[at + RF.dayK]! += tally.k
  f[at + RF.dayN]! += tally.n
}

const AGEING = [
  R.windowSquares,
  R.windowVariance,
  R.hourSquares,
  R.hourVariance,
  R.daySquares,
  R.dayVariance
]

/** At midnight: merges the day that ended into level, shape and noise. */
export const closeShareDay = (records: Records, slot: number): void => {
  const { doubles: d, floats: f, shape } = records
  const at = slot * shape.doubles
  const hours = slot * shape.floats
  let [k, n] = [0, 0]
  for (let hour = hours; hour < hours + RISE_HOURS; hour++) {
    k += f[hour + RF.dayK]!
    n += f[hour + RF.dayN]!
  }
  if (n === 0) return
  for (let hour = hours; hour < hours + RISE_HOURS; hour++) mergeHour(f, hour)
  sumHours(records, slot)
  d[at + R.levelK] = LEVEL_DECAY * d[at + R.levelK]! + k
  d[at + R.levelN] = LEVEL_DECAY * d[at + R.levelN]! + n
  closeHour(d, at)
  // The first day is its own expectation: it says nothing of how days differ.
  if (d[at + R.daysLearned]! > 0) {
    d[at + R.daySquares]! += d[at + R.dayResidual]! ** 2
    d[at + R.dayVariance]! += d[at + R.dayOwn]!
  }
  d.fill(0, at + R.dayResidual, at + R.dayOwn + 1)
  for (const offset of AGEING) d[at + offset]! *= NOISE_DECAY
  d[at + R.daysLearned]! += 1
}

const mergeHour = (f: Float32Array, hour: number): void => {
  f[hour + RF.hourK] = SHAPE_DECAY * f[hour + RF.hourK]! + f[hour + RF.dayK]!
  f[hour + RF.hourN] = SHAPE_DECAY * f[hour + RF.hourN]! + f[hour + RF.dayN]!
  f[hour + RF.dayK] = 0
  f[hour + RF.dayN] = 0
}
