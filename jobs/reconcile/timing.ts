import { classTokens, missingCalls, type CallStatistics, type Sums } from './call-statistics.ts'
import { bucketAt, type Bucket } from './cells.ts'
import type { Call } from './recorded.ts'
import { CLASSES, classOf, type Group } from './working.ts'

/**
 * Where the bill's days begin, and which calls it leaves out. A bill that counts in another time
 * zone, or by the end of a call, has calls in other days than we do. Every candidate predicts
 * exactly which tokens move; the likeliest wins, and only when it is far likelier than none.
 */

const MS_PER_MINUTE = 60_000
/** Offsets of the bill's midnight that are tried: the world's time zones, in quarters of an hour. */
const OFFSET_MINUTES = { max: 14 * 60, step: 15 }
/** Natural logarithm of how much likelier a candidate must be: a hundred are tried. */
const EVIDENCE_MIN = 12
/** Calls that a day may be off by when nothing is missing: makes exact agreement count. */
const CALLS_NONE = 0.01
/** Degrees of freedom of the residuals: token counts have heavy tails. */
const FREEDOM = 2

/** Time at which the bill puts a call, in terms of our buckets; NaN = nowhere. */
export type Clock = { name: string; at: (call: Call) => number }

const OFFSETS = Array.from(
  { length: (2 * OFFSET_MINUTES.max) / OFFSET_MINUTES.step + 1 },
  (_, index) => index * OFFSET_MINUTES.step - OFFSET_MINUTES.max
)

export const CLOCKS: readonly Clock[] = [
  { name: 'the bill counts calls by their end', at: (call) => call.endMs },
  ...OFFSETS.filter((minutes) => minutes !== 0)
    .toSorted((left, right) => Math.abs(left) - Math.abs(right))
    .map((minutes) => ({
      name: `the bill's days begin ${minutes} minutes from midnight UTC`,
      at: (call: Call) => call.timeMs - minutes * MS_PER_MINUTE
    }))
]

/** Calls that a bill may leave out, each as a clock that puts them nowhere. */
export const OMISSIONS: readonly Clock[] = (['failed', 'cancelled', 'refused'] as const).map(
  (outcome) => ({
    name: `${outcome} calls are not billed`,
    at: (call) => (call.outcome === outcome ? Number.NaN : call.timeMs)
  })
)

type Known = { statistics: CallStatistics; gaps: Sums[]; slack: Sums[]; tokens: readonly Sums[] }

const zero = (): Sums => ({ in: 0, read: 0, write: 0, out: 0 })

const knownOf = (group: Group, buckets: number, statistics: CallStatistics): Known => {
  const gaps = Array.from({ length: buckets }, zero)
  const slack = Array.from({ length: buckets }, zero)
  for (const { cell, tokens, billed, slack: own } of group.workings) {
    const [gap, room] = [gaps[cell.bucket], slack[cell.bucket]]
    if (gap === undefined || room === undefined) continue
    gap[classOf(cell.meter)] += (billed ?? 0) - tokens
    room[classOf(cell.meter)] += own
  }
  return { statistics, gaps, slack, tokens: group.calls.map(classTokens) }
}

/** The clock that explains the bill far better than ours, or null. */
export const billClock = (
  groups: readonly { group: Group; statistics: CallStatistics }[],
  buckets: readonly Bucket[],
  clocks: readonly Clock[]
): Clock | null => {
  const known = groups.map(({ group, statistics }) => ({
    group,
    ...knownOf(group, buckets.length, statistics)
  }))
  const unlikely = (clock: Clock | null): number =>
    known.reduce((sum, one) => {
      const left = clock === null ? one.gaps : shifted(one, { buckets, clock })
      if (left === null) return sum + unlikeliness(one, one.gaps)
      return sum + unlikeliness(one, left)
    }, 0)
  const none = unlikely(null)
  let best: { clock: Clock; value: number } | null = null
  for (const clock of clocks) {
    const value = unlikely(clock)
    if (best === null || value < best.value - 1e-9) best = { clock, value }
  }
  return best !== null && none - best.value > EVIDENCE_MIN ? best.clock : null
}

type Shift = { buckets: readonly Bucket[]; clock: Clock }

/** What is left of the gaps once our calls stand where the clock puts them; null = nothing moves. */
const shifted = (
  { group, gaps, tokens }: Known & { group: Group },
  { buckets, clock }: Shift
): Sums[] | null => {
  let left: Sums[] | null = null
  group.calls.forEach((call, index) => {
    const [from, to] = [bucketAt(buckets, call.timeMs), bucketAt(buckets, clock.at(call))]
    const counts = tokens[index]
    if (from === to || counts === undefined) return
    left ??= gaps.map((sums) => ({ ...sums }))
    for (const name of CLASSES) {
      const [out, into] = [left[from], left[to]]
      if (out !== undefined) out[name] += counts[name]
      if (into !== undefined) into[name] -= counts[name]
    }
  })
  return left
}

/** Minus the log likelihood of gaps, up to a constant, when they come from missing calls. */
const unlikeliness = ({ statistics, slack }: Known, gaps: readonly Sums[]): number =>
  gaps.reduce((sum, gap, bucket) => {
    const room = slack[bucket] ?? zero()
    const exact = Object.fromEntries(
      CLASSES.map((name) => [name, Math.abs(gap[name]) <= room[name] ? 0 : gap[name]])
    ) as Sums
    return sum + dayUnlikeliness(exact, statistics)
  }, 0)

const dayUnlikeliness = (gap: Sums, statistics: CallStatistics): number => {
  const calls = missingCalls(gap, statistics, CLASSES)
  const spread = Math.abs(calls) + CALLS_NONE
  return CLASSES.reduce((sum, name) => {
    const square = statistics.square[name]
    if (square === 0) return sum
    const z2 = (gap[name] - calls * statistics.mean[name]) ** 2 / (spread * square)
    return sum + Math.log(spread) / 2 + ((FREEDOM + 1) / 2) * Math.log1p(z2 / FREEDOM)
  }, 0)
}
