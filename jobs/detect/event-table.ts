import { EVENT_FIELDS, type EventField } from '../../schemas/event-fields.ts'
import { INPUT_BUCKETS, OUTPUT_BUCKETS } from '../../schemas/tokens.ts'
import { FIELD_TYPES, ENRICHED_COLUMNS } from '../../schemas/tables.ts'

/**
 * SQL that turns native events, one JSON text a row in `line`, into the columns of enriched event
 * rows: the same paths, columns and types as the live pipeline, from the one table of fields.
 */
export const eventsSql = (relation: string): string => {
  const paths = EVENT_FIELDS.map(({ path }) => `'$.${path}'`).join(', ')
  const columns = EVENT_FIELDS.map((field, index) => `${columnSql(field, index + 1)}`)
  const enriched = ENRICHED_COLUMNS.map(({ name, type }) => `NULL::${type} AS ${name}`)
  return `SELECT * REPLACE (
  coalesce(in_total, ${bucketSum(INPUT_BUCKETS)}) AS in_total,
  coalesce(out_total, ${bucketSum(OUTPUT_BUCKETS)}) AS out_total
)
FROM (
  SELECT ${[...columns, ...enriched].join(',\n    ')}
  FROM (SELECT json_extract_string(line, [${paths}]) AS f FROM ${relation})
)`
}

const columnSql = ({ kind, column }: EventField, position: number): string => {
  const value = `f[${position}]`
  const list = kind === 'words' || kind === 'doubles'
  const typed = list
    ? `from_json(${value}, '["${kind === 'words' ? 'VARCHAR' : 'DOUBLE'}"]')`
    : `${value}::${FIELD_TYPES[kind]}`
  return `${typed} AS "${column}"`
}

/** Sum of the buckets that are reported; null when none is. */
const bucketSum = (buckets: readonly string[]): string => {
  const sum = buckets.map((bucket) => `coalesce(${bucket}, 0)`).join(' + ')
  return `CASE WHEN coalesce(${buckets.join(', ')}) IS NOT NULL THEN ${sum} END`
}
