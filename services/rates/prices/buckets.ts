import type { TokenField } from '../../../schemas/tokens.ts'
import type { RateClass } from './book-row.ts'

/**
 * How many tokens are charged at which rate, once in SQL and once in TypeScript. Buckets are
 * disjoint; a modality is a subset of its bucket and adds only the difference between its own
 * rate and the bucket's. Where a provider gives a total without a split, the rest of the total
 * stands for the plain bucket.
 */

/** Counts as events carry them: null or absent = not reported. */
export type TokenCounts = Partial<Record<TokenField, number | null | undefined>>

type Column = (name: string) => string

export type PricedBucket = {
  name: string
  rate: RateClass
  /** SQL for the count, never null; `column` qualifies a column of the events. */
  sql: (column: Column) => string
  tokens: (tokens: TokenCounts) => number
}

const orZero = (name: string, column: Column): string => `coalesce(${column(name)}, 0)`

const direct = (name: TokenField, rate: RateClass): PricedBucket => ({
  name,
  rate,
  sql: (column) => orZero(name, column),
  tokens: (tokens) => tokens[name] ?? 0
})

const CACHED_OR_TOOL: readonly PricedBucket[] = [
  direct('in_cache_read', 'read'),
  direct('in_cache_write_5m', 'write'),
  direct('in_cache_write_30m', 'write'),
  direct('in_cache_write_1h', 'write_1h'),
  direct('in_cache_write_12h', 'write_12h'),
  direct('in_cache_write_unk', 'write'),
  direct('in_tool_use', 'in')
]

const sumSql = (column: Column): string => CACHED_OR_TOOL.map(({ sql }) => sql(column)).join(' + ')
const sumOf = (tokens: TokenCounts): number =>
  CACHED_OR_TOOL.reduce((sum, bucket) => sum + bucket.tokens(tokens), 0)

const UNCACHED: PricedBucket = {
  name: 'in_uncached',
  rate: 'in',
  sql: (column) =>
    `coalesce(${column('in_uncached')}, greatest(${orZero('in_total', column)} - (${sumSql(column)}), 0))`,
  tokens: (tokens) => tokens.in_uncached ?? Math.max((tokens.in_total ?? 0) - sumOf(tokens), 0)
}

const REASONING = direct('out_reasoning', 'reasoning')

const TEXT: PricedBucket = {
  name: 'out_text',
  rate: 'out',
  sql: (column) =>
    `coalesce(${column('out_text')}, greatest(${orZero('out_total', column)} - ${REASONING.sql(column)}, 0))`,
  tokens: (tokens) =>
    tokens.out_text ?? Math.max((tokens.out_total ?? 0) - REASONING.tokens(tokens), 0)
}

export const PRICED_BUCKETS: readonly PricedBucket[] = [
  UNCACHED,
  ...CACHED_OR_TOOL,
  TEXT,
  REASONING
]

/** A modality's tokens and the bucket whose rate they would otherwise be charged at. */
export type PricedModality = PricedBucket & { base: RateClass; within: string }

const fresh = (kind: 'audio' | 'image' | 'video'): PricedModality => {
  const all = `in_${kind}` as const
  const cached = kind === 'video' ? null : (`in_cached_${kind}` as const)
  return {
    name: all,
    rate: all,
    base: 'in',
    within: 'in_uncached',
    sql: (column) => {
      const less = cached === null ? '' : ` - ${orZero(cached, column)}`
      return `least(greatest(${orZero(all, column)}${less}, 0), ${UNCACHED.sql(column)})`
    },
    tokens: (tokens) =>
      Math.min(
        Math.max((tokens[all] ?? 0) - (cached === null ? 0 : (tokens[cached] ?? 0)), 0),
        UNCACHED.tokens(tokens)
      )
  }
}

type Subset = { name: TokenField; rate: RateClass; base: RateClass }

const within = (bucket: PricedBucket, { name, rate, base }: Subset): PricedModality => ({
  name,
  rate,
  base,
  within: bucket.name,
  sql: (column) => `least(${orZero(name, column)}, ${bucket.sql(column)})`,
  tokens: (tokens) => Math.min(tokens[name] ?? 0, bucket.tokens(tokens))
})

const READ = CACHED_OR_TOOL[0] ?? UNCACHED

export const PRICED_MODALITIES: readonly PricedModality[] = [
  fresh('audio'),
  fresh('image'),
  fresh('video'),
  within(READ, { name: 'in_cached_audio', rate: 'read_audio', base: 'read' }),
  within(READ, { name: 'in_cached_image', rate: 'read_image', base: 'read' }),
  within(TEXT, { name: 'out_audio', rate: 'out_audio', base: 'out' }),
  within(TEXT, { name: 'out_image', rate: 'out_image', base: 'out' })
]

/** Input tokens of the whole prompt, which decide the size tier. */
export const promptTokens = (tokens: TokenCounts): number =>
  tokens.in_total ?? (tokens.in_uncached ?? 0) + sumOf(tokens)

export const promptTokensSql = (column: Column): string =>
  `coalesce(${column('in_total')}, ${orZero('in_uncached', column)} + ${sumSql(column)})`

/** Whether a call reports any tokens at all: without, there is nothing to price. */
export const hasUsage = (tokens: TokenCounts): boolean => USAGE.some((name) => tokens[name] != null)

const USAGE = [
  'in_uncached',
  'in_cache_read',
  'in_cache_write_5m',
  'in_cache_write_30m',
  'in_cache_write_1h',
  'in_cache_write_12h',
  'in_cache_write_unk',
  'in_tool_use',
  'out_text',
  'out_reasoning',
  'in_total',
  'out_total'
] as const

export const hasUsageSql = (column: Column): string =>
  `coalesce(${USAGE.map((name) => column(name)).join(', ')}) IS NOT NULL`
