import { missingCalls, missingVariance, type CallStatistics, type Sums } from './call-statistics.ts'
import type { Cause } from './causes.ts'
import { median } from './ratio-price.ts'
import { CLASSES, type TokenClass } from './working.ts'

/**
 * A class of tokens that the bill counts differently. Missing calls move every class, by chance
 * amounts that change from day to day; a different count moves one class by the same ratio on
 * every day from some day on. Days are judged together, since a single one proves little.
 */

/** Standard errors that a ratio must be from nothing; classes and first days are searched. */
const Z_MIN = 5
/** Smaller ratios are not worth a finding. */
const RATIO_MIN = 0.002
/** A day may be off the common ratio by this part of it beside what chance does. */
const WOBBLE = 0.1
/** Mean square of the days' deviations above which the ratio is not the same. */
const MISFIT_MAX = 4
/** Chance of a day on which no call is missing, in calls: counts are then exact. */
const CALLS_NONE = 0.02
/** Two classes counted differently at once are told apart from calls; more are not. */
const CLASSES_MAX = 2
/** Input classes whose deviations cancel to this part were exchanged, not miscounted. */
const EXCHANGED = 0.1

export type Day = {
  bucket: number
  /** Tokens more on the bill, by class. */
  gap: Sums
  /** Our tokens, by class. */
  ours: Sums
  /** Calls more on the bill, where it counts them. */
  requests: number | null
}

export type DayResult = { calls: number; miscount: Sums }

type Ratio = { name: TokenClass; from: number; ratio: number; calls: number }

/**
 * Missing calls and miscounted tokens of every day, in the order of `days`. A class is taken to be
 * counted differently from the first day that fits; of several, the one that leaves fewest calls
 * missing.
 */
export const countDays = (
  days: readonly Day[],
  statistics: CallStatistics
): { results: DayResult[]; cause: (name: TokenClass) => Cause } => {
  const found: Ratio[] = []
  while (found.length < CLASSES_MAX) {
    const next = bestRatio(days, statistics, found)
    if (next === null) break
    found.push(next)
  }
  const sound = CLASSES.filter((name) => found.every((ratio) => ratio.name !== name))
  const results = days.map((day, index) => {
    const own = found.filter(({ from }) => index >= from)
    const told = own.length === 0 ? CLASSES : sound
    const calls = day.requests ?? missingCalls(day.gap, statistics, told)
    return { calls, miscount: miscountOf(day, { own, calls, statistics }) }
  })
  const isExchange = exchanges(results)
  return {
    results,
    cause: (name) => (isExchange && name !== 'out' ? 'misclassified_cache' : 'token_count')
  }
}

type Found = { own: readonly Ratio[]; calls: number; statistics: CallStatistics }

const miscountOf = (day: Day, { own, calls, statistics }: Found): Sums => {
  const miscount = { in: 0, read: 0, write: 0, out: 0 }
  for (const { name, ratio } of own) {
    const ofCalls = calls * statistics.mean[name]
    const isCounted = calls === 0 || day.requests !== null
    miscount[name] = isCounted ? day.gap[name] - ofCalls : ratio * (day.ours[name] + ofCalls)
  }
  return miscount
}

const bestRatio = (
  days: readonly Day[],
  statistics: CallStatistics,
  found: readonly Ratio[]
): Ratio | null => {
  const open = CLASSES.filter(
    (name) => statistics.mean[name] > 0 && found.every((ratio) => ratio.name !== name)
  )
  if (open.length < 2 && days.every(({ requests }) => requests === null)) return null
  const candidates = open.flatMap((name) => {
    const starts = days.map((_, from) => ratioFrom(days, statistics, { name, from, open }))
    return starts.find(isRatio) ?? []
  })
  const [least] = candidates.toSorted((left, right) => left.calls - right.calls)
  return least ?? null
}

const isRatio = (ratio: Ratio | null): ratio is Ratio => ratio !== null

type Place = { name: TokenClass; from: number; open: readonly TokenClass[] }

/** The ratio of a class from a day on, judged against the other classes; null when it is none. */
const ratioFrom = (
  days: readonly Day[],
  statistics: CallStatistics,
  { name, from, open }: Place
): Ratio | null => {
  const others = open.filter((other) => other !== name)
  const { mean, square } = statistics
  const judged = days.slice(from).map(({ gap, ours, requests }) => {
    const calls = requests ?? missingCalls(gap, statistics, others)
    const doubt = requests === null ? mean[name] ** 2 * missingVariance(statistics, others) : 0
    return {
      off: gap[name] - calls * mean[name],
      base: ours[name] + calls * mean[name],
      variance: (Math.abs(calls) + CALLS_NONE) * (square[name] + doubt),
      calls: Math.abs(calls)
    }
  })
  const sum = (of: (day: (typeof judged)[number]) => number): number =>
    judged.reduce((total, day) => total + of(day), 0)
  const base = sum((day) => day.base)
  if (base <= 0) return null
  // The middle of the days: one very large call missing does not move it.
  const ratio = median(judged.map(({ off, base: own }) => (own > 0 ? off / own : 0)))
  const z = Math.abs(ratio * base) / Math.sqrt(sum(({ variance }) => variance))
  const misfit = sum(
    ({ off, base: own, variance }) =>
      (off - ratio * own) ** 2 / (variance + (WOBBLE * ratio * own) ** 2)
  )
  const isSame = misfit <= MISFIT_MAX * judged.length && startsWith(judged[0], ratio)
  if (z < Z_MIN || Math.abs(ratio) < RATIO_MIN || !isSame) return null
  const before = days
    .slice(0, from)
    .reduce(
      (total, { gap, requests }) =>
        total + Math.abs(requests ?? missingCalls(gap, statistics, open)),
      0
    )
  return { name, from, ratio, calls: before + sum(({ calls }) => calls) }
}

/** The first day is nearer to the ratio than to none. */
const startsWith = (day: { off: number; base: number } | undefined, ratio: number): boolean =>
  day !== undefined && Math.abs(day.off - ratio * day.base) < Math.abs(day.off)

const exchanges = (results: readonly DayResult[]): boolean => {
  const inputs = results.flatMap(({ miscount }) => [miscount.in, miscount.read, miscount.write])
  const total = Math.abs(inputs.reduce((sum, value) => sum + value, 0))
  const parts = inputs.reduce((sum, value) => sum + Math.abs(value), 0)
  return parts > 0 && total < EXCHANGED * parts
}
