import { layout, type Records } from '../statistics/records.ts'

/**
 * What the same work takes at each time of day, against the whole day: batches are smaller at night
 * or at noon, and that is no fault. Hours lend each other weight, since a day is smooth, so that a
 * few calls an hour tell its shape; where even those are few it shrinks to none. Merged at midnight
 * UTC, so that an hour never teaches itself.
 */

const HOURS = 24
const HOUR_MS = 3_600_000
const DAY_MS = HOURS * HOUR_MS
/** Weight of hours at this distance on either side. */
const KERNEL = [1, 0.75, 0.5, 0.25] as const
/** Half-life 6.6 days, as shapes of the day have elsewhere. */
const DECAY_PER_DAY = 0.9
/** Calls at which the hours around weigh as much as the whole day. */
const SHRINK_CALLS = 50

const doubles = layout({
  /** Joules of the first minutes, spent and as estimated for the tenant's usual ways. */
  spent: 1,
  estimated: 1,
  minutes: 1,
  day: 1,
  calls: 1,
  dayCalls: 1
})
const floats = layout({
  hourSpent: HOURS,
  hourExpected: HOURS,
  /** The running day. */
  daySpent: HOURS,
  dayExpected: HOURS
})
export const U = doubles.at
const F = floats.at
export const USUAL_SHAPE = { doubles: doubles.length, floats: floats.length, bytes: 0 }

export type Energy = { n: number; spent: number; expected: number }

/** Factor on expected joules at the time of day of `ms`; 1 while no day is known. */
export const seasonFactor = ({ doubles: d, floats: f }: Records, slot: number, ms: number) => {
  const hours = slot * USUAL_SHAPE.floats
  let [allSpent, allExpected, spent, expected] = [0, 0, 0, 0]
  const now = Math.floor(ms / HOUR_MS)
  for (let hour = 0; hour < HOURS; hour++) {
    const apart = (now - hour + HOURS) % HOURS
    const weight = KERNEL[Math.min(apart, HOURS - apart)] ?? 0
    const [s, e] = [f[hours + F.hourSpent + hour]!, f[hours + F.hourExpected + hour]!]
    allSpent += s
    allExpected += e
    spent += weight * s
    expected += weight * e
  }
  if (!(allExpected > 0) || !(allSpent > 0)) return 1
  const overall = allSpent / allExpected
  const prior = (SHRINK_CALLS * allExpected) / d[slot * USUAL_SHAPE.doubles + U.calls]!
  return (spent + prior * overall) / (expected + prior) / overall
}

export const learnSeason = (records: Records, slot: number, energy: Energy, ms: number): void => {
  const { doubles: d, floats: f } = records
  const at = slot * USUAL_SHAPE.doubles
  const hour = slot * USUAL_SHAPE.floats + (Math.floor(ms / HOUR_MS) % HOURS)
  f[hour + F.daySpent]! += energy.spent
  f[hour + F.dayExpected]! += energy.expected
  d[at + U.dayCalls]! += energy.n
}

/** Merges the day that ended, once a later one begins. */
export const closeSeasonDay = (records: Records, slot: number, ms: number): void => {
  const { doubles: d, floats: f } = records
  const at = slot * USUAL_SHAPE.doubles
  const day = Math.floor(ms / DAY_MS)
  if (d[at + U.day] === day) return
  d[at + U.day] = day
  if (d[at + U.dayCalls] === 0) return
  const first = slot * USUAL_SHAPE.floats
  for (let i = first; i < first + 2 * HOURS; i++) {
    f[i] = DECAY_PER_DAY * f[i]! + f[i + F.daySpent]!
    f[i + F.daySpent] = 0
  }
  d[at + U.calls] = DECAY_PER_DAY * d[at + U.calls]! + d[at + U.dayCalls]!
  d[at + U.dayCalls] = 0
}
