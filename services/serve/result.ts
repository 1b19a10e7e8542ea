import { z } from 'zod'
import { formatUsd } from '../../schemas/money.ts'
import { BUCKETS } from '../../schemas/tokens.ts'
import type { Row } from '../lake/engine.ts'
import type { Desk } from './desk.ts'

/** Shapes that many answers share. */

export const Usd = z
  .string()
  .regex(/^-?\d+(\.\d+)?$/)
  .describe('US dollars, exact decimal string.')

/** The version that an answer was read at, and how far the data goes. */
export const LakeResult = z.strictObject({
  version: z.int().describe('Version of the lake: everything in the answer is of this one.'),
  data_until: z.iso.datetime().nullable().describe('Latest event time that the lake has seen.')
})

export const lakeResult = ({ version, dataUntilMs }: Desk): z.infer<typeof LakeResult> => ({
  version,
  data_until: dataUntilMs === null ? null : new Date(dataUntilMs).toISOString()
})

/** A number of a row; null stays null. */
export const numberOf = (value: unknown): number | null =>
  value === null || value === undefined ? null : Number(value)

/** A text of a row; null stays null. */
export const textOf = (value: unknown): string | null => (value ?? null) as string | null

export const count = (value: unknown): number => Number(value ?? 0)

/** Pico-dollars of a row as dollars. */
export const usdOf = (value: unknown): string | null =>
  value === null || value === undefined ? null : formatUsd(BigInt(value as string | bigint))

const Count = z.int().nonnegative()
const NullableCount = Count.nullable()

export const Totals = z.strictObject({
  calls: Count,
  errors: NullableCount.describe('Calls that failed; null = no call tells.'),
  retries: Count,
  unpriced_calls: Count.describe('Calls with usage and no price: not in any cost.'),
  provisional_calls: Count.describe('Calls of hours that are not settled: may hold duplicates.'),
  cost_usd: Usd.nullable().describe('Metered cost; null when nothing is priced.'),
  cost_retry_usd: Usd.nullable().describe('Part of it that attempts after the first cost.'),
  in_total: NullableCount,
  out_total: NullableCount,
  tokens: z
    .strictObject(Object.fromEntries(BUCKETS.map((name) => [name, NullableCount])))
    .describe('Disjoint buckets; null = nobody reported it.'),
  cache_hit_rate: z
    .number()
    .nullable()
    .describe('Cached over input tokens, 0 to 1, over calls that report both.'),
  energy_j: z
    .strictObject({ low: z.number(), mid: z.number(), high: z.number() })
    .nullable()
    .describe('Estimated energy in joules with its 80 % interval.')
})

const sum = (name: string): string => `sum("${name}")::HUGEINT::VARCHAR AS "${name}"`

/** Select list over `windows` that `totalsOf` reads. */
export const TOTALS_SQL = [
  'coalesce(sum(n), 0)::DOUBLE AS calls',
  'sum(n_error)::DOUBLE AS errors',
  'coalesce(sum(n_retry), 0)::DOUBLE AS retries',
  'coalesce(sum(n_unpriced), 0)::DOUBLE AS unpriced_calls',
  'coalesce(sum(n) FILTER (provisional), 0)::DOUBLE AS provisional_calls',
  ...['cost_pico', 'cost_retry_pico', 'in_total', 'out_total', ...BUCKETS].map(sum),
  'sum(cache_h)::DOUBLE / nullif(sum(cache_w), 0) AS cache_hit_rate',
  'sum(energy_low_uj) / 1e6 AS energy_low_j',
  'sum(energy_mid_uj) / 1e6 AS energy_mid_j',
  'sum(energy_high_uj) / 1e6 AS energy_high_j'
].join(',\n  ')

export const totalsOf = (row: Row): z.infer<typeof Totals> => ({
  calls: count(row['calls']),
  errors: numberOf(row['errors']),
  retries: count(row['retries']),
  unpriced_calls: count(row['unpriced_calls']),
  provisional_calls: count(row['provisional_calls']),
  cost_usd: usdOf(row['cost_pico']),
  cost_retry_usd: usdOf(row['cost_retry_pico']),
  in_total: numberOf(row['in_total']),
  out_total: numberOf(row['out_total']),
  tokens: Object.fromEntries(BUCKETS.map((name) => [name, numberOf(row[name])])),
  cache_hit_rate: numberOf(row['cache_hit_rate']),
  energy_j: energyOf(row)
})

const energyOf = (row: Row): { low: number; mid: number; high: number } | null => {
  const [low, mid, high] = ['low', 'mid', 'high'].map((end) => numberOf(row[`energy_${end}_j`]))
  return low == null || mid == null || high == null ? null : { low, mid, high }
}
