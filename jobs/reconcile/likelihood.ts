import type { CallStatistics, Sums } from './call-statistics.ts'
import { CLASSES, type TokenClass } from './working.ts'

/**
 * How likely a gap in tokens is when some whole calls are missing on one side: every class is then
 * off by that many average calls, give or take what calls differ. Clocks and miscounts are judged
 * by how much likelier they make what is left.
 */

/** Chance of a day on which no call is missing, in calls: makes exact agreement count. */
const CALLS_NONE = 0.01
/** Degrees of freedom of the residuals: token counts have heavy tails. */
const FREEDOM = 2
/** A class this many standard errors off counts half. */
const HALF_AT = 3
/** Rounds of weighting; the weights hardly move after a few. */
const ROUNDS = 4

export type Judged = {
  /** Minus the log likelihood, up to a constant. */
  unlikeliness: number
  /** Calls missing, at the likeliest. */
  calls: number
}

/**
 * Judges a day's gap. The likeliest number of missing calls is looked for from none and from what
 * each class stands for, unless the bill counts its calls.
 */
export const judgeGap = (
  gap: Sums,
  statistics: CallStatistics,
  { requests = null, classes = CLASSES }: JudgeOptions = {}
): Judged => {
  const told = classes.filter((name) => statistics.square[name] > 0)
  if (requests !== null) return at(requests, { gap, statistics, told })
  let best = at(0, { gap, statistics, told })
  for (const name of told) {
    const one = at(gap[name] / statistics.mean[name], { gap, statistics, told })
    if (one.unlikeliness < best.unlikeliness) best = one
  }
  if (best.calls === 0) return best
  // The likeliest number is small by habit: what the classes say on average is not.
  const agreed = at(agree(best.calls, { gap, statistics, told }), { gap, statistics, told })
  const unlikeliness = Math.min(best.unlikeliness, agreed.unlikeliness)
  return { unlikeliness, calls: agreed.calls }
}

type JudgeOptions = { requests?: number | null; classes?: readonly TokenClass[] }
type Seen = { gap: Sums; statistics: CallStatistics; told: readonly TokenClass[] }

/** Square of how far a class is from so many calls, in standard errors. */
const z2Of = (name: TokenClass, calls: number, { gap, statistics }: Seen): number =>
  (gap[name] - calls * statistics.mean[name]) ** 2 /
  ((Math.abs(calls) + CALLS_NONE) * statistics.square[name])

const at = (calls: number, seen: Seen): Judged => {
  const unlikeliness = seen.told.reduce((sum, name) => sum + ofClass(name, calls, seen), 0)
  return { unlikeliness, calls }
}

/**
 * A class without any gap says that no missing call had it, and so most often that none is missing;
 * that is a chance, where a gap has a density: per token, so its width counts.
 */
const ofClass = (name: TokenClass, calls: number, seen: Seen): number => {
  const { gap, statistics } = seen
  if (gap[name] === 0) return Math.abs(calls) * statistics.present[name]
  const width = Math.log((Math.abs(calls) + CALLS_NONE) * statistics.square[name]) / 2
  return width + ((FREEDOM + 1) / 2) * Math.log1p(z2Of(name, calls, seen) / FREEDOM)
}

/** Between the classes that agree about: the steadier and the nearer weigh more. */
const agree = (calls: number, seen: Seen): number => {
  const { gap, statistics, told } = seen
  let now = calls
  for (let round = 0; round < ROUNDS; round += 1) {
    let [sum, total] = [0, 0]
    for (const name of told) {
      const { mean, square } = statistics
      const weight = mean[name] ** 2 / square[name] / (1 + z2Of(name, now, seen) / HALF_AT ** 2)
      sum += weight * (gap[name] / mean[name])
      total += weight
    }
    now = total > 0 ? sum / total : now
  }
  return now
}
