import { classTokens, type CallStatistics, type Sums } from './call-statistics.ts'
import { bucketAt, type Bucket } from './cells.ts'
import { judgeGap } from './likelihood.ts'
import type { Call } from './recorded.ts'
import { partOf } from './miscount.ts'
import { median } from './ratio-price.ts'
import { CLASSES, classOf, type Group, type TokenClass } from './working.ts'

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

/** Time at which the bill puts a call, in terms of our buckets; NaN = nowhere. */
export type Clock = {
  name: string
  at: (call: Call) => number
  /** Natural logarithm of how much rarer it is than others. */
  rarity: number
}

/** Most of the world's zones are whole hours off, some half ones, very few a quarter. */
const RARITY = { hour: 0, half: 3, quarter: 6 }
const rarityOf = (minutes: number): number =>
  minutes % 60 === 0 ? RARITY.hour : minutes % 30 === 0 ? RARITY.half : RARITY.quarter
/** The same for each day on which calls are missing on the other side than on most days. */
const RARITY_BOTH = 3
const HALF_CALL = 0.5
/** The same for a bill that counts one class of tokens differently as well. */
const RARITY_MISCOUNT = 6

const OFFSETS = Array.from(
  { length: (2 * OFFSET_MINUTES.max) / OFFSET_MINUTES.step + 1 },
  (_, index) => index * OFFSET_MINUTES.step - OFFSET_MINUTES.max
)

export const CLOCKS: readonly Clock[] = [
  { name: 'the bill counts calls by their end', at: (call) => call.endMs, rarity: 0 },
  ...OFFSETS.filter((minutes) => minutes !== 0)
    .toSorted((left, right) => Math.abs(left) - Math.abs(right))
    .map((minutes) => ({
      name: `the bill's days begin ${minutes} minutes from midnight UTC`,
      at: (call: Call) => call.timeMs - minutes * MS_PER_MINUTE,
      rarity: rarityOf(minutes)
    }))
]

/** Calls that a bill may leave out, each as a clock that puts them nowhere. */
export const OMISSIONS: readonly Clock[] = (['failed', 'cancelled', 'refused'] as const).map(
  (outcome) => ({
    name: `${outcome} calls are not billed`,
    at: (call) => (call.outcome === outcome ? Number.NaN : call.timeMs),
    rarity: 0
  })
)

type Known = {
  statistics: CallStatistics
  gaps: Sums[]
  billed: Sums[]
  slack: Sums[]
  tokens: readonly Sums[]
}

const zero = (): Sums => ({ in: 0, read: 0, write: 0, out: 0 })

const knownOf = (group: Group, buckets: number, statistics: CallStatistics): Known => {
  const gaps = Array.from({ length: buckets }, zero)
  const [bill, slack] = [gaps.map(zero), gaps.map(zero)]
  for (const { cell, tokens, billed, slack: own } of group.workings) {
    const [gap, all, room] = [gaps[cell.bucket], bill[cell.bucket], slack[cell.bucket]]
    if (gap === undefined || all === undefined || room === undefined) continue
    const name = classOf(cell.meter)
    gap[name] += (billed ?? 0) - tokens
    all[name] += billed ?? 0
    room[name] += own
  }
  return { statistics, gaps, billed: bill, slack, tokens: group.calls.map(classTokens) }
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
    const value = unlikely(clock) + clock.rarity
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

/**
 * Minus the log likelihood of gaps when they come from missing calls; or, where that is likelier,
 * from missing calls and one class that the bill counts differently.
 */
const unlikeliness = (known: Known, gaps: readonly Sums[]): number => {
  const exact = gaps.map((gap, bucket) => exactly(gap, known.slack[bucket] ?? zero()))
  const plain = ofDays(exact, known.statistics)
  const others = CLASSES.filter((name) => known.statistics.mean[name] > 0).map((name) => {
    const ratio = commonRatio(known, exact, name)
    const left = exact.map((gap, bucket) => ({
      ...gap,
      [name]: gap[name] - partOf(known.billed[bucket]?.[name] ?? 0, ratio)
    }))
    return ofDays(left, known.statistics) + RARITY_MISCOUNT
  })
  return Math.min(plain, ...others)
}

/** Differences within the rounding of the bill are none. */
const exactly = (gap: Sums, room: Sums): Sums => {
  const exact = zero()
  for (const name of CLASSES) exact[name] = Math.abs(gap[name]) <= room[name] ? 0 : gap[name]
  return exact
}

/**
 * Calls that the bill has more and calls that it has fewer come from two different faults: days of
 * both kinds are the rarer, the more of the less usual kind there are.
 */
const ofDays = (gaps: readonly Sums[], statistics: CallStatistics): number => {
  const days = gaps.map((gap) => judgeGap(gap, statistics))
  const [more, fewer] = [1, -1].map(
    (sign) => days.filter(({ calls }) => calls * sign > HALF_CALL).length
  )
  const plain = days.reduce((sum, { unlikeliness: own }) => sum + own, 0)
  return plain + RARITY_BOTH * Math.min(more ?? 0, fewer ?? 0)
}

/** By how much a class is off on most days, as a part of our tokens. */
const commonRatio = ({ billed }: Known, gaps: readonly Sums[], name: TokenClass): number =>
  median(
    gaps.flatMap((gap, bucket) => {
      const ours = (billed[bucket]?.[name] ?? 0) - gap[name]
      return ours > 0 ? [gap[name] / ours] : []
    })
  )
