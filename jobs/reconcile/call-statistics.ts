import type { Call } from './recorded.ts'
import { CLASSES, classOf, type TokenClass } from './working.ts'

/** What a call of a group looks like on average, class by class. */
export type CallStatistics = {
  calls: number
  mean: Record<TokenClass, number>
  /** Mean of the squares. */
  square: Record<TokenClass, number>
  /** Share of the calls that have any tokens of the class. */
  present: Record<TokenClass, number>
}

export const classTokens = (call: Call): Record<TokenClass, number> => {
  const tokens = { in: 0, read: 0, write: 0, out: 0 }
  for (const [meter, count] of Object.entries(call.tokens) as [keyof Call['tokens'], number][]) {
    tokens[classOf(meter)] += count
  }
  return tokens
}

export const callStatistics = (calls: readonly Call[]): CallStatistics => {
  const zero = (): Record<TokenClass, number> => ({ in: 0, read: 0, write: 0, out: 0 })
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
