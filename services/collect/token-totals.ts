import type { UsageEvent } from '../../schemas/event.ts'
import { INPUT_BUCKETS, OUTPUT_BUCKETS } from '../../schemas/tokens.ts'

type StatedTokens = NonNullable<UsageEvent['tokens']>

export type Completed = {
  totals: { in_uncached: number | null; in_total: number | null; out_total: number | null }
  warnings: string[]
}

/** Sum of reported buckets; null when none of them is reported. */
const sumOf = (tokens: StatedTokens, buckets: readonly (keyof StatedTokens)[]): number | null => {
  let sum: number | null = null
  for (const bucket of buckets) {
    const count = tokens[bucket]
    if (typeof count === 'number') sum = (sum ?? 0) + count
  }
  return sum
}

/**
 * Completes buckets that the sender stated: totals from buckets, and the uncached input from the
 * total where only that is told. A total that its buckets exceed is kept and said to be wrong.
 */
export const completeTokens = (tokens: StatedTokens): Completed => {
  const input = sumOf(tokens, INPUT_BUCKETS)
  const output = sumOf(tokens, OUTPUT_BUCKETS)
  const { in_uncached = null, in_total = null, out_text = null, out_total = null } = tokens
  const warnings: string[] = []
  if (exceeds(input, in_total)) warnings.push('buckets_exceed_in_total')
  if (exceeds(output, out_total)) warnings.push('buckets_exceed_out_total')
  const totals = {
    in_uncached: in_uncached ?? restOf(in_total, input),
    in_total: in_total ?? (in_uncached === null ? null : input),
    out_total: out_total ?? (out_text === null ? null : output)
  }
  return { totals, warnings }
}

const exceeds = (sum: number | null, total: number | null): boolean =>
  sum !== null && total !== null && sum > total

const restOf = (total: number | null, sum: number | null): number | null =>
  total === null || exceeds(sum, total) ? null : total - (sum ?? 0)
