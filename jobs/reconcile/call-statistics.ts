import type { Call } from './recorded.ts'
import { CLASSES, classOf, type TokenClass } from './working.ts'

export type Sums = Record<TokenClass, number>

/** What a call of a group looks like on average, class by class. */
export type CallStatistics = {
  calls: number
  mean: Sums
  /** Mean of the squares. */
  square: Sums
  /** Share of the calls that have any tokens of the class. */
  present: Sums
}

/** A class that at least this part of the calls has must move when calls are missing. */
const PRESENT_MIN = 0.8

export const classTokens = (call: Call): Sums => {
  const tokens = { in: 0, read: 0, write: 0, out: 0 }
  for (const [meter, count] of Object.entries(call.tokens) as [keyof Call['tokens'], number][]) {
    tokens[classOf(meter)] += count
  }
  return tokens
}

export const callStatistics = (calls: readonly Call[]): CallStatistics => {
  const zero = (): Sums => ({ in: 0, read: 0, write: 0, out: 0 })
  const [mean, square, present] = [zero(), zero(), zero()]
  for (const call of calls) {
    const tokens = classTokens(call)
    for (const name of CLASSES) {
      mean[name] += tokens[name] / calls.length
      square[name] += tokens[name] ** 2 / calls.length
      present[name] += tokens[name] > 0 ? 1 / calls.length : 0
    }
  }
  return { calls: calls.length, mean, square, present }
}

/** How much a class says about the number of calls: high when calls are alike in it. */
const steadiness = ({ mean, square }: CallStatistics, name: TokenClass): number =>
  square[name] === 0 ? 0 : mean[name] ** 2 / square[name]

/**
 * Calls that a gap in tokens stands for, judged by some classes. One that nearly every call has
 * and that does not differ says none; of two, the steadier counts more; of more, their middle,
 * which a class counted differently does not move.
 */
export const missingCalls = (
  gap: Sums,
  statistics: CallStatistics,
  classes: readonly TokenClass[]
): number => {
  const { mean, present } = statistics
  const told = classes.filter((name) => mean[name] > 0)
  if (told.some((name) => gap[name] === 0 && present[name] >= PRESENT_MIN)) return 0
  const votes = told
    .map((name) => ({ calls: gap[name] / mean[name], weight: steadiness(statistics, name) }))
    .toSorted((left, right) => left.calls - right.calls)
  const total = votes.reduce((sum, { weight }) => sum + weight, 0)
  if (total === 0) return 0
  if (votes.length < 3)
    return votes.reduce((sum, { calls, weight }) => sum + calls * weight, 0) / total
  let sum = 0
  for (const { calls, weight } of votes) {
    sum += weight
    if (sum >= total / 2) return calls
  }
  return 0
}

/** Variance of `missingCalls` per missing call. */
export const missingVariance = (
  statistics: CallStatistics,
  classes: readonly TokenClass[]
): number => {
  const total = classes.reduce((sum, name) => sum + steadiness(statistics, name), 0)
  return total === 0 ? 0 : 1 / total
}
