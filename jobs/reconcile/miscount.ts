import { missingVariance, type CallStatistics, type Sums } from './call-statistics.ts'
import type { Cause } from './causes.ts'
import { judgeGap } from './likelihood.ts'
import { middleRatio } from './robust-ratio.ts'
import { CLASSES, type TokenClass } from './working.ts'

/**
 * A class of tokens that the bill counts differently. Missing calls move every class, by chance
 * amounts that change from day to day; a different count moves one class by the same ratio on
 * every day from some day on. Days are judged together, since a single one proves little.
 */

/** Natural logarithm of how much likelier a ratio must make the days: classes and ratios are searched. */
const EVIDENCE_MIN = 8
/** The same for a ratio that does not hold from the first day: days are searched as well. */
const EVIDENCE_LATER = 8
/** Smaller ratios are not worth a finding. */
const RATIO_MIN = 0.002
/** A class that the bill counts hardly at all is left out, and not counted differently. */
const RATIO_LEAST = -0.9
/** Two classes counted differently at once are told apart from calls; more are not. */
const CLASSES_MAX = 2
/** Input classes whose deviations cancel to this part were exchanged, not miscounted. */
const EXCHANGED = 0.1
/** Chance of a day on which no call is missing, in calls: counts are then exact. */
const CALLS_NONE = 0.01

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

type Ratio = { name: TokenClass; from: number; ratio: number }

export type Counted = {
  results: DayResult[]
  /** Classes that are counted alike on both sides, by day. */
  sound: TokenClass[][]
  cause: (name: TokenClass) => Cause
}

/**
 * Missing calls and miscounted tokens of every day, in the order of `days`. A class is taken to be
 * counted differently from the day on that makes all days likeliest.
 */
export const countDays = (days: readonly Day[], statistics: CallStatistics): Counted => {
  const found: Ratio[] = []
  while (found.length < CLASSES_MAX) {
    const next = bestRatio(days, statistics, found)
    if (next === null) break
    found.push(next)
  }
  const results = days.map((day, index) => resultOf(day, statistics, startedBy(found, index)))
  const isExchange = exchanges(results)
  return {
    results,
    sound: days.map((_, index) => without(startedBy(found, index))),
    cause: (name) => (isExchange && name !== 'out' ? 'misclassified_cache' : 'token_count')
  }
}

const startedBy = (found: readonly Ratio[], index: number): Ratio[] =>
  found.filter(({ from }) => index >= from)

const without = (ratios: readonly { name: TokenClass }[]): TokenClass[] =>
  CLASSES.filter((name) => ratios.every((ratio) => ratio.name !== name))

/** The missing calls of a day by the classes that no ratio is about, then what ratios leave. */
const resultOf = (day: Day, statistics: CallStatistics, own: readonly Ratio[]): DayResult => {
  const { gap, ours, requests } = day
  const { calls } = judgeGap(gap, statistics, { requests, classes: without(own) })
  const miscount = { in: 0, read: 0, write: 0, out: 0 }
  for (const { name, ratio } of own) {
    const ofCalls = calls * statistics.mean[name]
    const isCounted = calls === 0 || requests !== null
    miscount[name] = isCounted ? gap[name] - ofCalls : partOf(ours[name] + gap[name], ratio)
  }
  return { calls, miscount }
}

/** What of the bill's tokens is there only because it counts so many more for each of ours. */
export const partOf = (billed: number, ratio: number): number => (billed * ratio) / (1 + ratio)

const bestRatio = (
  days: readonly Day[],
  statistics: CallStatistics,
  found: readonly Ratio[]
): Ratio | null => {
  const open = without(found).filter((name) => statistics.mean[name] > 0)
  if (open.length < 2 && days.every(({ requests }) => requests === null)) return null
  const plain = unlikeliness(days, statistics, found)
  const candidates = open.flatMap((name) =>
    days.flatMap((_, from) => {
      const ratio = ratioFrom(days, statistics, { name, from, open })
      if (Math.abs(ratio) < RATIO_MIN || ratio < RATIO_LEAST) return []
      const own = { name, from, ratio }
      const gain = plain - unlikeliness(days, statistics, [...found, own])
      const least = EVIDENCE_MIN * (found.length + 1) + (from > 0 ? EVIDENCE_LATER : 0)
      return [{ ...own, evidence: gain - least }]
    })
  )
  const [best] = candidates.toSorted((left, right) => right.evidence - left.evidence)
  return best === undefined || best.evidence <= 0 ? null : best
}

/** Of all days, once the ratios are taken off. */
const unlikeliness = (
  days: readonly Day[],
  statistics: CallStatistics,
  ratios: readonly Ratio[]
): number =>
  days.reduce((sum, day, index) => {
    const own = startedBy(ratios, index)
    const left = { ...day.gap }
    for (const { name, ratio } of own) left[name] -= partOf(day.ours[name] + day.gap[name], ratio)
    return sum + judgeGap(left, statistics, { requests: day.requests }).unlikeliness
  }, 0)

type Place = { name: TokenClass; from: number; open: readonly TokenClass[] }

/** The ratio of a class over the days from one on, missing calls judged by the other classes. */
const ratioFrom = (
  days: readonly Day[],
  statistics: CallStatistics,
  { name, from, open }: Place
): number => {
  const others = open.filter((other) => other !== name)
  const { mean, square } = statistics
  const judged = days.slice(from).map((day) => ({
    ...day,
    calls: judgeGap(day.gap, statistics, { requests: day.requests, classes: others }).calls
  }))
  const losing = judged.filter(({ calls }) => calls !== 0)
  // A day's own number is a guess: if it gave the day its weight, low guesses would weigh most.
  const usual = losing.reduce((sum, { calls }) => sum + Math.abs(calls), 0) / (losing.length || 1)
  return middleRatio(
    judged.map(({ gap, ours, requests, calls }) => {
      const doubt = requests === null ? mean[name] ** 2 * missingVariance(statistics, others) : 0
      return {
        part: gap[name] - calls * mean[name],
        whole: ours[name] + calls * mean[name],
        variance: ((calls === 0 ? 0 : usual) + CALLS_NONE) * (square[name] + doubt)
      }
    })
  )
}

const exchanges = (results: readonly DayResult[]): boolean => {
  const inputs = results.flatMap(({ miscount }) => [miscount.in, miscount.read, miscount.write])
  const total = Math.abs(inputs.reduce((sum, value) => sum + value, 0))
  const parts = inputs.reduce((sum, value) => sum + Math.abs(value), 0)
  return parts > 0 && total < EXCHANGED * parts
}
