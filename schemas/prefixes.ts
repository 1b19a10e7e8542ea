import { windowStartSql, type WindowColumn } from './windows.ts'

/**
 * The prefix grain: which prompt prefixes were sent in a minute, by whom, and how much of them the
 * cache served. Novelty (was this prefix seen before?) needs memory across minutes and is worked
 * out in the detect fold; here are only facts of one minute, so the rows are additive like windows.
 *
 * Landed as table `prefixes_raw` beside `windows_raw`, from the same enriched event rows.
 */

export type PrefixColumn = Omit<WindowColumn, 'type'> & {
  type: WindowColumn['type'] | 'VARCHAR[]' | 'INTEGER'
}

/** Only rows with a hash ladder that report input and cache read: null is not 0. */
export const PREFIX_FILTER =
  'prefix_blocks IS NOT NULL AND in_total > 0 AND in_cache_read IS NOT NULL'

export const PREFIX_DIMENSIONS: readonly PrefixColumn[] = [
  {
    name: 'window_start',
    type: 'TIMESTAMPTZ',
    sql: windowStartSql('time'),
    comment: 'Start of the minute of event time, UTC.'
  },
  { name: 'tenant', type: 'VARCHAR', sql: 'tenant', comment: 'Who pays.' },
  { name: 'cache_pool', type: 'VARCHAR', sql: 'cache_pool', comment: 'Cache shared by tenants.' },
  { name: 'provider', type: 'VARCHAR', sql: 'provider', comment: 'Who served.' },
  {
    name: 'model',
    type: 'VARCHAR',
    sql: 'coalesce(response_model, request_model)',
    comment: 'Model that served, else the one asked for.'
  },
  {
    name: 'blocks',
    type: 'VARCHAR[]',
    sql: 'prefix_blocks',
    comment: 'Hash ladder: identity of the first 1, 2, 4, 8 … blocks.'
  },
  {
    name: 'block_tokens',
    type: 'INTEGER',
    sql: 'prefix_block_tokens',
    comment: 'Tokens in a block of the ladder.'
  },
  {
    name: 'cache_miss_reason',
    type: 'VARCHAR',
    sql: 'cache_miss_reason',
    comment: 'Reason of a miss as the provider gives it.'
  }
]

const CACHE_WRITE = ['5m', '30m', '1h', '12h', 'unk'].map((time) => `in_cache_write_${time}`)
const anyWrite = `coalesce(${CACHE_WRITE.join(', ')})`
const allWrites = CACHE_WRITE.map((column) => `coalesce(${column}, 0)`).join(' + ')

export const PREFIX_MEASURES: readonly (PrefixColumn & { merge: 'sum' | 'min' | 'max' })[] = [
  { name: 'n', type: 'BIGINT', merge: 'sum', sql: 'count(*)', comment: 'Events.' },
  {
    name: 'in_total',
    type: 'BIGINT',
    merge: 'sum',
    sql: 'sum(in_total)',
    comment: 'Σ input tokens.'
  },
  {
    name: 'in_cache_read',
    type: 'BIGINT',
    merge: 'sum',
    sql: 'sum(in_cache_read)',
    comment: 'Σ input tokens served from the cache.'
  },
  {
    name: 'in_cache_write',
    type: 'BIGINT',
    merge: 'sum',
    sql: `sum(CASE WHEN ${anyWrite} IS NOT NULL THEN ${allWrites} END)`,
    comment: 'Σ input tokens written to the cache, all times to live; null = not reported.'
  },
  {
    name: 'first_ms',
    type: 'BIGINT',
    merge: 'min',
    sql: 'min(epoch_ms(time)) % 60000',
    comment: 'Milliseconds into the minute of the first event.'
  },
  {
    name: 'last_ms',
    type: 'BIGINT',
    merge: 'max',
    sql: 'max(epoch_ms(time)) % 60000',
    comment: 'Milliseconds into the minute of the last event.'
  }
]

export const PREFIX_COLUMNS: readonly PrefixColumn[] = [...PREFIX_DIMENSIONS, ...PREFIX_MEASURES]

/** The aggregation of a relation of enriched events into the grain, ordered so bytes repeat. */
export const prefixesSql = (relation: string): string => {
  const select = [
    ...PREFIX_DIMENSIONS.map(({ name, sql }) => `${sql} AS ${name}`),
    ...PREFIX_MEASURES.map(({ name, type, sql }) => `(${sql})::${type} AS ${name}`)
  ]
  const positions = PREFIX_DIMENSIONS.map((_, index) => index + 1).join(', ')
  return `SELECT ${select.join(',\n  ')}\nFROM ${relation}\nWHERE ${PREFIX_FILTER}\nGROUP BY ${positions}\nORDER BY ${positions}`
}
