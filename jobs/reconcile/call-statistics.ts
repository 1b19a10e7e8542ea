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

/** Variance of a number of missing calls that classes are judged by, per missing call. */
export const missingVariance = (
  statistics: CallStatistics,
  classes: readonly TokenClass[]
): number => {
  const total = classes.reduce((sum, name) => sum + steadiness(statistics, name), 0)
  return total === 0 ? 0 : 1 / total
}
