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
/** What is kept of each hour; batches as they are known, by concurrency or by the time of a token. */
const OF_HOUR = [
  'spent',
  'expected',
  'out_with_batch',
  'out_per_batch',
  'decode_tokens',
  'decode_ms'
] as const
type OfHour = (typeof OF_HOUR)[number]

const floats = layout({
  hours: OF_HOUR.length * HOURS,
  /** The running day. */
  day: OF_HOUR.length * HOURS
})
export const U = doubles.at
const F = floats.at
export const USUAL_SHAPE = { doubles: doubles.length, floats: floats.length, bytes: 0 }

export type Energy = { n: number } & Record<OfHour, number>

const hoursAt = (slot: number, name: OfHour): number =>
  slot * USUAL_SHAPE.floats + F.hours + OF_HOUR.indexOf(name) * HOURS

/** Factor on expected joules at the time of day of `ms`; 1 while no day is known. */
export const seasonFactor = ({ doubles: d, floats: f }: Records, slot: number, ms: number) => {
  const [spentAt, expectedAt] = [hoursAt(slot, 'spent'), hoursAt(slot, 'expected')]
  let [allSpent, allExpected, spent, expected] = [0, 0, 0, 0]
  const now = Math.floor(ms / HOUR_MS)
  for (let hour = 0; hour < HOURS; hour++) {
    const apart = (now - hour + HOURS) % HOURS
    const weight = KERNEL[Math.min(apart, HOURS - apart)] ?? 0
    const [s, e] = [f[spentAt + hour]!, f[expectedAt + hour]!]
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

type Span = { fromMs: number; toMs: number }

/**
 * Factor on `below` for as much `above` in the hours of a span, against the whole day: of what a
 * batch is told by. 1 while no day is known.
 */
export const hoursFactor = (
  { doubles: d, floats: f }: Records,
  slot: number,
  [above, below]: readonly [OfHour, OfHour],
  { fromMs, toMs }: Span
): number => {
  const read = (name: OfHour): number => {
    const at = hoursAt(slot, name)
    const first = Math.floor(fromMs / HOUR_MS)
    let sum = 0
    // A week of hours is every hour of the day as often as the others.
    for (let now = first; now * HOUR_MS < toMs && now < first + 7 * HOURS; now++) {
      const share = Math.min(toMs, (now + 1) * HOUR_MS) - Math.max(fromMs, now * HOUR_MS)
      for (let apart = 1 - KERNEL.length; apart < KERNEL.length; apart++) {
        sum +=
          share * KERNEL[Math.abs(apart)]! * f[at + ((((now + apart) % HOURS) + HOURS) % HOURS)]!
      }
    }
    return sum
  }
  const whole = (name: OfHour): number => {
    const at = hoursAt(slot, name)
    return f.subarray(at, at + HOURS).reduce((sum, value) => sum + value, 0)
  }
  const [allAbove, allBelow] = [whole(above), whole(below)]
  const [someAbove, someBelow] = [read(above), read(below)]
  if (!(allAbove > 0 && allBelow > 0 && someAbove > 0)) return 1
  // As many calls of the whole day stand beside those of these hours.
  const calls = d[slot * USUAL_SHAPE.doubles + U.calls]!
  const prior = (SHRINK_CALLS / calls) * (someAbove / allAbove)
  const overall = allBelow / allAbove
  return (someBelow + prior * allBelow) / (someAbove + prior * allAbove) / overall
}

export const learnSeason = (records: Records, slot: number, energy: Energy, ms: number): void => {
  const { doubles: d, floats: f } = records
  const hour = slot * USUAL_SHAPE.floats + F.day + (Math.floor(ms / HOUR_MS) % HOURS)
  for (let index = 0; index < OF_HOUR.length; index++) {
    f[hour + index * HOURS]! += energy[OF_HOUR[index]!]
  }
  d[slot * USUAL_SHAPE.doubles + U.dayCalls]! += energy.n
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
  for (let i = first; i < first + OF_HOUR.length * HOURS; i++) {
    f[i] = DECAY_PER_DAY * f[i]! + f[i + F.day]!
    f[i + F.day] = 0
  }
  d[at + U.calls] = DECAY_PER_DAY * d[at + U.calls]! + d[at + U.dayCalls]!
  d[at + U.dayCalls] = 0
}
