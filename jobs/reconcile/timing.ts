import { bucketAt, type Bucket } from './cells.ts'
import type { Call } from './recorded.ts'
import { CLASSES, classOf, weightOf, type Group } from './working.ts'

/**
 * Where the bill's days begin. A bill that counts in another time zone, or by the end of a call,
 * has calls in other days than we do. Every candidate predicts exactly which tokens move; the one
 * that explains the differences between days wins, and only when it explains them well.
 */

const MS_PER_MINUTE = 60_000
/** Offsets of the bill's midnight that are tried: the world's time zones, in quarters of an hour. */
const OFFSET_MINUTES = { max: 14 * 60, step: 15 }
/** Part of the predicted shift that must vanish from the differences. */
const EXPLAINED_MIN = 0.5
/** A shift that fits amid other differences must be this many standard errors from nothing. */
const T_MIN = 8
const SLOPE = { min: 0.8, max: 1.2 }

/** Time at which the bill puts a call, in terms of our buckets; NaN = nowhere. */
export type Clock = { name: string; at: (call: Call) => number }

const CLOCKS: readonly Clock[] = [
  { name: 'end of call', at: (call) => call.endMs },
  ...Array.from({ length: (2 * OFFSET_MINUTES.max) / OFFSET_MINUTES.step + 1 }, (_, index) => {
    const minutes = index * OFFSET_MINUTES.step - OFFSET_MINUTES.max
    const name = `days begin ${minutes} min from midnight UTC`
    return { minutes, name, at: (call: Call) => call.timeMs - minutes * MS_PER_MINUTE }
  })
    .filter(({ minutes }) => minutes !== 0)
    .toSorted((left, right) => Math.abs(left.minutes) - Math.abs(right.minutes))
]

/** Dollar gaps by group, bucket and class, as numbers; the statistics need no more. */
type Gaps = { gap: Float64Array; ours: Float64Array; size: number }

const SLOTS = CLASSES.length

const gapsOf = (groups: readonly Group[], buckets: number): Gaps => {
  const size = groups.length * buckets * SLOTS
  const gap = new Float64Array(size)
  const ours = new Float64Array(size)
  groups.forEach((group, index) => {
    for (const { cell, price, tokens, billed } of group.workings) {
      const slot = (index * buckets + cell.bucket) * SLOTS + CLASSES.indexOf(classOf(cell.meter))
      const weight = weightOf(price)
      if (billed !== null) gap[slot] = (gap[slot] ?? 0) + (billed - tokens) * weight
      ours[slot] = (ours[slot] ?? 0) + tokens * weight
    }
  })
  return { gap, ours, size }
}

/** Dollars that a clock moves into (+) and out of (-) each slot. */
const shiftOf = (
  groups: readonly Group[],
  buckets: readonly Bucket[],
  clock: Clock
): Float64Array => {
  const shift = new Float64Array(groups.length * buckets.length * SLOTS)
  groups.forEach((group, index) => {
    for (const call of group.calls) {
      const [from, to] = [bucketAt(buckets, call.timeMs), bucketAt(buckets, clock.at(call))]
      if (from === to) continue
      for (const [meter, pico] of Object.entries(call.pico) as [keyof Call['pico'], bigint][]) {
        const at = CLASSES.indexOf(classOf(meter))
        const [out, into] = [from, to].map(
          (bucket) => (index * buckets.length + bucket) * SLOTS + at
        )
        if (from >= 0 && out !== undefined) shift[out] = (shift[out] ?? 0) - Number(pico)
        if (to >= 0 && into !== undefined) shift[into] = (shift[into] ?? 0) + Number(pico)
      }
    }
  })
  return shift
}

/** Calls that a bill may leave out, each as a clock that puts them nowhere. */
export const OMISSIONS: readonly Clock[] = (['failed', 'cancelled', 'refused'] as const).map(
  (outcome) => ({
    name: `${outcome} calls are not billed`,
    at: (call) => (call.outcome === outcome ? Number.NaN : call.timeMs)
  })
)

/** The clock of the bill, or null when our own days explain it as well. */
export const billClock = (
  groups: readonly Group[],
  buckets: readonly Bucket[],
  clocks: readonly Clock[] = CLOCKS
): Clock | null => {
  const gaps = gapsOf(groups, buckets.length)
  let best: { clock: Clock; left: number } | null = null
  for (const clock of clocks) {
    const shift = shiftOf(groups, buckets, clock)
    if (!explains(gaps, shift)) continue
    const left = distance(gaps.gap, shift)
    if (best === null || left < best.left * 0.999) best = { clock, left }
  }
  return best?.clock ?? null
}

const distance = (gap: Float64Array, shift: Float64Array): number =>
  gap.reduce((sum, value, slot) => sum + Math.abs(value - (shift[slot] ?? 0)), 0)

const explains = (gaps: Gaps, shift: Float64Array): boolean => {
  const moved = shift.reduce((sum, value) => sum + Math.abs(value), 0)
  if (moved === 0) return false
  const before = gaps.gap.reduce((sum, value) => sum + Math.abs(value), 0)
  if (before - distance(gaps.gap, shift) >= EXPLAINED_MIN * moved) return true
  return (
    isSlope(gaps.gap, shift) || isSlope(without(gaps.gap, gaps.ours), without(shift, gaps.ours))
  )
}

/** Regression of the gaps on the shift: its slope is one when the shift is real. */
const isSlope = (gap: Float64Array, shift: Float64Array): boolean => {
  const [xy, xx, n] = [dot(gap, shift), dot(shift, shift), gap.length]
  if (xx === 0 || n < 4) return false
  const slope = xy / xx
  const rest = gap.reduce((sum, value, slot) => sum + (value - slope * (shift[slot] ?? 0)) ** 2, 0)
  const error = Math.sqrt(rest / (n - 1) / xx)
  return slope > SLOPE.min && slope < SLOPE.max && slope > T_MIN * error
}

const dot = (left: Float64Array, right: Float64Array): number =>
  left.reduce((sum, value, slot) => sum + value * (right[slot] ?? 0), 0)

/** Takes out what a loss of calls would do: every class of a day off by the same share. */
const without = (values: Float64Array, ours: Float64Array): Float64Array => {
  const left = Float64Array.from(values)
  for (let start = 0; start < values.length; start += SLOTS) {
    const part = values.subarray(start, start + SLOTS)
    const base = ours.subarray(start, start + SLOTS)
    const share = dot(part, base) / Math.max(dot(base, base), Number.MIN_VALUE)
    base.forEach((value, at) => {
      left[start + at] = (part[at] ?? 0) - share * value
    })
  }
  return left
}
