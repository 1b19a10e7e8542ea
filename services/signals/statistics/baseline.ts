import { B, D, F, HOURS, HOURS_OF_WEEK, STATISTICS, type Sample } from './rate-record.ts'
import type { Records } from './records.ts'

/**
 * The rate that is expected now: a level (half-life 2 days) plus the shape of the day (half-life 7
 * days, shrunk to the level where traffic is thin) plus, after three weeks, the deviation of the
 * hour of week. Everything is merged at midnight UTC, so an hour never teaches itself.
 */

const LEVEL_DECAY_PER_DAY = 0.7
const SHAPE_DECAY_PER_DAY = 0.9
/** Requests at which an hour's own mean weighs as much as the level. */
const SHRINK_REQUESTS = 200
/** Days before the hour of week is used: three of each weekday. */
export const WEEK_AFTER_DAYS = 21
/** How far one week moves the hour-of-week deviation, and the requests that halve it. */
const WEEK_RATE = 0.3
const WEEK_SHRINK_REQUESTS = 500
const WEEK_SCALE = 1_000
/** Largest deviation that a byte of thousandths holds. */
const WEEK_BYTE_MAX = 127
const HOUR_MS = 3_600_000

/** A probability that logarithms can bear. */
export const clampRate = (rate: number): number => Math.min(0.999, Math.max(0.001, rate))

export const hourOfDay = (ms: number): number => Math.floor(ms / HOUR_MS) % HOURS
/** Monday 0 h is 0; the epoch was a Thursday. */
export const hourOfWeek = (ms: number): number =>
  (Math.floor(ms / HOUR_MS) + 3 * HOURS) % HOURS_OF_WEEK

/** Whether at least one day was merged. */
export const isLearned = (d: Float64Array, at: number): boolean => d[at + D.daysLearned]! > 0

/** Expected rate of statistic `s` in the hour of `ms`. */
export const expectedRate = (records: Records, slot: number, s: number, ms: number): number => {
  const { doubles: d, floats: f, shape } = records
  const at = slot * shape.doubles
  if (!isLearned(d, at)) return clampRate(earlyRate(d, at, s))
  const hour = shapeAt(records, slot, s, hourOfDay(ms))
  const rate = d[at + D.level + s]! + hour - d[at + D.overall + s]!
  if (d[at + D.daysLearned]! < WEEK_AFTER_DAYS) return clampRate(rate)
  const week = records.bytes[slot * shape.bytes + B.week + hourOfWeek(ms)]! / WEEK_SCALE
  return f.length === 0 ? clampRate(rate) : clampRate(rate + week)
}

const shapeAt = (
  { doubles: d, floats: f, shape }: Records,
  slot: number,
  s: number,
  hour: number
) => {
  const overall = d[slot * shape.doubles + D.overall + s]!
  const at = slot * shape.floats + s * HOURS + hour
  const denominator = f[at + F.hourDenominator]!
  if (denominator <= 0) return overall
  const requests = f[slot * shape.floats + HOURS + hour + F.hourDenominator]!
  const own = f[at + F.hourNumerator]! / denominator
  return (own * requests + overall * SHRINK_REQUESTS) / (requests + SHRINK_REQUESTS)
}

const earlyRate = (d: Float64Array, at: number, s: number): number => {
  const numerator = d[at + D.early + 2 * s]!
  const denominator = d[at + D.early + 2 * s + 1]!
  return denominator > 0 ? numerator / denominator : 0.5
}

/** Adds a window to the running day. */
export const learnRate = (records: Records, slot: number, sample: Sample, ms: number): void => {
  const { floats: f, shape } = records
  const at = slot * shape.floats + hourOfDay(ms)
  f[at + F.dayNumerator]! += sample.h
  f[at + F.dayDenominator]! += sample.w
  f[at + HOURS + F.dayNumerator]! += sample.x
  f[at + HOURS + F.dayDenominator]! += sample.n
}

/** At midnight: merges the day into level, shape and week. `day` is the day that ended. */
export const closeRateDay = (records: Records, slot: number, day: number): void => {
  const { doubles: d, shape } = records
  const at = slot * shape.doubles
  if (isLearned(d, at)) learnWeek(records, slot, day)
  let learned = hasDay(records, slot)
  for (let s = 0; s < STATISTICS; s++) {
    const overall = mergeHours(records, slot, s)
    const denominator = d[at + D.levelDenominator + s]!
    if (overall === null || denominator <= 0) {
      learned = false
      continue
    }
    d[at + D.overall + s] = overall
    d[at + D.level + s] = d[at + D.levelNumerator + s]! / denominator
  }
  if (learned) d[at + D.daysLearned]! += 1
}

const hasDay = ({ floats: f, shape }: Records, slot: number): boolean => {
  const at = slot * shape.floats + HOURS + F.dayDenominator
  for (let hour = at; hour < at + HOURS; hour++) if (f[hour]! > 0) return true
  return false
}

/** Returns the overall rate of the shape, null when nothing was ever seen. */
const mergeHours = ({ doubles: d, floats: f, shape }: Records, slot: number, s: number) => {
  const at = slot * shape.doubles + s
  const hours = slot * shape.floats + s * HOURS
  d[at + D.levelNumerator]! *= LEVEL_DECAY_PER_DAY
  d[at + D.levelDenominator]! *= LEVEL_DECAY_PER_DAY
  let numerator = 0
  let denominator = 0
  for (let hour = hours; hour < hours + HOURS; hour++) {
    d[at + D.levelNumerator]! += f[hour + F.dayNumerator]!
    d[at + D.levelDenominator]! += f[hour + F.dayDenominator]!
    f[hour + F.hourNumerator] = mergeHour(f, hour, F.hourNumerator, F.dayNumerator)
    f[hour + F.hourDenominator] = mergeHour(f, hour, F.hourDenominator, F.dayDenominator)
    numerator += f[hour + F.hourNumerator]!
    denominator += f[hour + F.hourDenominator]!
  }
  return denominator > 0 ? numerator / denominator : null
}

const mergeHour = (f: Float32Array, hour: number, kept: number, day: number): number => {
  const merged = SHAPE_DECAY_PER_DAY * f[hour + kept]! + f[hour + day]!
  f[hour + day] = 0
  return merged
}

const learnWeek = (records: Records, slot: number, day: number): void => {
  const { doubles: d, floats: f, bytes, shape } = records
  const at = slot * shape.doubles
  const hours = slot * shape.floats + HOURS
  const week = slot * shape.bytes + B.week + hourOfWeek(day * HOURS * HOUR_MS)
  for (let hour = 0; hour < HOURS; hour++) {
    const requests = f[hours + hour + F.dayDenominator]!
    if (requests <= 0) continue
    const rate = f[hours + hour + F.dayNumerator]! / requests
    const expected = d[at + D.level + 1]! + shapeAt(records, slot, 1, hour) - d[at + D.overall + 1]!
    const weight = (WEEK_RATE * requests) / (requests + WEEK_SHRINK_REQUESTS)
    const old = bytes[week + hour]! / WEEK_SCALE
    const moved = Math.round((old + weight * (rate - expected - old)) * WEEK_SCALE)
    bytes[week + hour] = Math.min(WEEK_BYTE_MAX, Math.max(-WEEK_BYTE_MAX, moved))
  }
}
