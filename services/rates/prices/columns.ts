import { PRICED_BUCKETS, PRICED_MODALITIES, hasUsageSql, promptTokensSql } from './buckets.ts'
import type { PriceBook } from './book.ts'
import { priceAt, resolveRate, type Price, type PriceAnswer, type PriceQuery } from './price.ts'
import { priceBoundaries } from './price-boundaries.ts'

/**
 * Pricing of whole batches in SQL: resolve the distinct combinations of the batch to flat rows of
 * integers, load them as a table, join, and compute the cost as integer sums.
 *
 *   const rows = priceRows(book, combinations, { fromMs, toMs })   // toMs exclusive
 *   SELECT …, ${costSql('e', 'p')} AS cost_pico, ${priceIdSql('e', 'p')} AS price_id,
 *          ${unpricedSql('e', 'p')} AS unpriced
 *   FROM events e LEFT JOIN prices p ON ${priceJoinSql('e', 'p')}
 *
 * Each event whose combination and time were given joins exactly one row. Events with `units` or
 * `iterations` are rare: SQL leaves both out, so price those with `priceUsage` of `usage.ts` and
 * put its figures in the place of the SQL's.
 */

/** Columns of an event that decide its price, apart from time and prompt size. */
export const PRICE_KEYS = [
  'provider',
  'request_model',
  'response_model',
  'service_tier',
  'region',
  'batch',
  'provider_account'
] as const satisfies readonly (keyof PriceQuery)[]

/** Kinds of step that a provider charges for. Agent spans only repeat what their calls report. */
export const PRICED_KINDS = [
  'llm',
  'embedding',
  'rerank',
  'tool',
  'retrieval',
  'guardrail'
] as const

const BUCKET_COLUMNS = PRICED_BUCKETS.map((bucket) => ({
  ...bucket,
  column: `pico_${bucket.name}`
}))
/** What a token of the modality costs more (or less) than its bucket's rate. */
const EXTRA_COLUMNS = PRICED_MODALITIES.map((modality) => ({
  ...modality,
  column: `pico_extra_${modality.name}`
}))

export type PriceColumn = { name: string; type: 'VARCHAR' | 'BOOLEAN' | 'BIGINT' }

const column = (name: string, type: PriceColumn['type']): PriceColumn => ({ name, type })

/** The columns of a price row, in order. */
export const PRICE_ROW_COLUMNS: readonly PriceColumn[] = [
  ...PRICE_KEYS.map((name) => column(name, name === 'batch' ? 'BOOLEAN' : 'VARCHAR')),
  column('time_from_us', 'BIGINT'),
  column('time_to_us', 'BIGINT'),
  column('tokens_min', 'BIGINT'),
  column('tokens_max', 'BIGINT'),
  column('price_id', 'VARCHAR'),
  column('unpriced', 'VARCHAR'),
  ...BUCKET_COLUMNS.map(({ column: name }) => column(name, 'BIGINT')),
  ...EXTRA_COLUMNS.map(({ column: name }) => column(name, 'BIGINT'))
]

export type PriceRow = Readonly<Record<string, string | boolean | bigint | null>>

/** Half-open, milliseconds since the epoch. */
export type TimeSpan = { fromMs: number; toMs: number }

/** Larger than any prompt: the upper end of the last size band. */
const TOKENS_END = 2n ** 62n
const US_PER_MS = 1000n

/** Price rows of every combination over the span: one per period of prices and size band. */
export const priceRows = (
  book: PriceBook,
  combinations: readonly PriceQuery[],
  span: TimeSpan
): PriceRow[] => combinations.flatMap((query) => rowsOf(book, query, span))

const rowsOf = (book: PriceBook, query: PriceQuery, span: TimeSpan): PriceRow[] => {
  const key = Object.fromEntries(PRICE_KEYS.map((name) => [name, query[name]]))
  return periodsOf(book, query, span).flatMap(({ fromMs, toMs, answer }): PriceRow[] => {
    const times = {
      time_from_us: BigInt(fromMs) * US_PER_MS,
      time_to_us: BigInt(toMs) * US_PER_MS
    }
    const { bands, unpriced } = answer
    if (bands === null) return [{ ...key, ...times, ...NO_PRICE, unpriced }]
    return bands.map((price, band) => ({
      ...key,
      ...times,
      tokens_min: BigInt(price.tokensMin),
      tokens_max: BigInt(bands[band + 1]?.tokensMin ?? TOKENS_END),
      price_id: price.id,
      unpriced: null,
      ...ratesOf(price)
    }))
  })
}

type Period = TimeSpan & { answer: PriceAnswer }

/** Neighbouring stretches with the same prices become one. */
const periodsOf = (book: PriceBook, query: PriceQuery, span: TimeSpan): Period[] => {
  const starts = priceBoundaries(book, query, span)
  const periods: Period[] = []
  starts.forEach((fromMs, index) => {
    const toMs = starts[index + 1] ?? span.toMs
    const answer = priceAt(book, query, fromMs)
    const last = periods.at(-1)
    if (last !== undefined && isSame(last.answer, answer)) last.toMs = toMs
    else periods.push({ fromMs, toMs, answer })
  })
  return periods
}

const isSame = (left: PriceAnswer, right: PriceAnswer): boolean =>
  left.unpriced === right.unpriced &&
  left.bands?.length === right.bands?.length &&
  (left.bands ?? []).every(({ id }, band) => id === right.bands?.[band]?.id)

const NO_PRICE: PriceRow = {
  tokens_min: 0n,
  tokens_max: TOKENS_END,
  price_id: null,
  ...Object.fromEntries([...BUCKET_COLUMNS, ...EXTRA_COLUMNS].map((entry) => [entry.column, null]))
}

const ratesOf = ({ rates }: Price): PriceRow => {
  const buckets = BUCKET_COLUMNS.map((entry) => {
    const { pico } = resolveRate(rates, entry.rate)
    return [entry.column, pico === null ? null : BigInt(pico)]
  })
  const extras = EXTRA_COLUMNS.map((entry) => [
    entry.column,
    BigInt((resolveRate(rates, entry.rate).pico ?? 0) - (resolveRate(rates, entry.base).pico ?? 0))
  ])
  return Object.fromEntries([...buckets, ...extras])
}

const of =
  (relation: string) =>
  (name: string): string =>
    `${relation}.${name}`

/** Join condition of events (alias `e`) and price rows (alias `p`). */
export const priceJoinSql = (e: string, p: string): string => {
  const keys = PRICE_KEYS.map((name) => `${e}.${name} IS NOT DISTINCT FROM ${p}.${name}`)
  const prompt = promptTokensSql(of(e))
  return [
    ...keys,
    `epoch_us(${e}.time) >= ${p}.time_from_us`,
    `epoch_us(${e}.time) < ${p}.time_to_us`,
    `${prompt} >= ${p}.tokens_min`,
    `${prompt} < ${p}.tokens_max`
  ].join(' AND ')
}

/** Cost in pico-dollars, BIGINT; null when nothing is reported or the price is missing. */
export const costSql = (e: string, p: string): string => {
  const parts = BUCKET_COLUMNS.map(
    (entry) => `${entry.sql(of(e))} * coalesce(${p}.${entry.column}, 0)`
  )
  const extras = EXTRA_COLUMNS.map((entry) => `${entry.sql(of(e))} * ${p}.${entry.column}`)
  return `CASE WHEN ${isPricedSql(e, p)} THEN (${[...parts, ...extras].join(' + ')})::BIGINT END`
}

/** Identity of the price that `costSql` used. */
export const priceIdSql = (e: string, p: string): string =>
  `CASE WHEN ${isPricedSql(e, p)} THEN ${p}.price_id END`

/** Why a charged step with usage has no cost; null when it has one or needs none. */
export const unpricedSql = (e: string, p: string): string => {
  const cases = BUCKET_COLUMNS.map(
    (entry) =>
      `WHEN ${p}.${entry.column} IS NULL AND ${entry.sql(of(e))} > 0 THEN 'no price of ${entry.name}'`
  )
  return `CASE WHEN NOT (${isChargedSql(e)}) THEN NULL WHEN ${p}.price_id IS NULL THEN coalesce(${p}.unpriced, 'no price row') ${cases.join(' ')} END`
}

const isChargedSql = (e: string): string =>
  `${e}.kind IN (${PRICED_KINDS.map((kind) => `'${kind}'`).join(', ')}) AND ${hasUsageSql(of(e))}`

const isPricedSql = (e: string, p: string): string => {
  const covered = BUCKET_COLUMNS.map(
    (entry) => `(${p}.${entry.column} IS NOT NULL OR ${entry.sql(of(e))} = 0)`
  )
  return `${isChargedSql(e)} AND ${p}.price_id IS NOT NULL AND ${covered.join(' AND ')}`
}
