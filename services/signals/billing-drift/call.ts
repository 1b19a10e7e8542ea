import type { Iteration, PricedUsage } from '../../rates/prices/usage.ts'
import { PRICED_BUCKETS, type TokenCounts } from '../../rates/prices/buckets.ts'

/** One call whose stated cost differs from the metered one. Amounts are in pico-dollars. */
export type DifferingCall = {
  usage: PricedUsage
  metered: number
  stated: number
  /** The token part of the statement, where it is split; null = not told. */
  statedTokens: number | null
  /** What the statement's last digit is worth; 0 = written to the full. */
  rounding: number
}

type EventText = Omit<PricedUsage, 'iterations' | 'units' | 'timeMs'> & {
  tokens: TokenCounts
  units: string | null
  iterations: string | null
}

/** Reads the `event` column of traces.sql. */
export const readUsage = (text: string, provider: string | null, timeMs: number): PricedUsage => {
  const { units, iterations, ...event } = JSON.parse(text) as EventText
  return {
    ...event,
    tokens: { ...event.tokens, ...plainBuckets(event.tokens) },
    provider,
    timeMs,
    units: units === null ? null : (JSON.parse(units) as Record<string, number>),
    iterations: iterations === null ? null : (JSON.parse(iterations) as Iteration[])
  }
}

/** Where only totals are reported, the rest of a total stands for the plain bucket: made explicit. */
const plainBuckets = (tokens: TokenCounts): TokenCounts =>
  Object.fromEntries(
    PRICED_BUCKETS.filter(({ name }) => name === 'in_uncached' || name === 'out_text').map(
      (bucket) => [bucket.name, bucket.tokens(tokens)]
    )
  )
