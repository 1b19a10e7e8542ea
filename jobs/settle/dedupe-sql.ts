import { EVENT_FIELDS } from '../../schemas/event-fields.ts'

/**
 * Exact deduplication of an hour. `candidates` holds its settled rows and the raw rows beyond;
 * `elsewhere` holds rows of other hours that have the key of a candidate.
 */

/** An event's identity. A missing source is a source of its own. */
export const KEY = ['tenant', "coalesce(source, '')", 'id']

const SEPARATOR = 'chr(31)'

/** 63 bits of MD5: the same in every version of DuckDB, since the index outlives them. */
export const keyHashSql = (alias: string): string =>
  `(md5_number_lower(concat_ws(${SEPARATOR}, ${alias}.tenant, coalesce(${alias}.source, ''), ${alias}.id)) >> 1)::BIGINT`

/** Where a record stands in the order that decides between records of one key. */
const position = (alias: string): string =>
  `(${alias}.append_time, ${alias}."partition", ${alias}."offset")`

/** All that an event says, apart from how it travelled: tells a repeat from a conflict. */
const CONTENT = `hash(${EVENT_FIELDS.map(({ column }) => `"${column}"`).join(', ')})`

/**
 * `ranked`: every candidate with its place among the records of its key. The first one counts,
 * unless an earlier record of the key lies in another hour.
 */
export const RANKED_SQL = `CREATE OR REPLACE TEMP TABLE ranked AS
  SELECT *, (${CONTENT} >> 1)::BIGINT AS content,
    row_number() OVER same_key AS place,
    first_value(${CONTENT} >> 1) OVER same_key AS kept_content,
    (SELECT min(x.content) FROM temp.elsewhere x WHERE x.tenant = c.tenant
       AND coalesce(x.source, '') = coalesce(c.source, '') AND x.id = c.id
       AND ${position('x')} < ${position('c')}) AS earlier_content
  FROM temp.candidates c
  WINDOW same_key AS (PARTITION BY ${KEY.join(', ')} ORDER BY append_time, "partition", "offset")`

/** Records that count. */
export const KEPT = 'place = 1 AND earlier_content IS NULL'

/** Records left out whose content is not that of the record that counts. */
export const CONFLICTS = `NOT (${KEPT}) AND content <> coalesce(earlier_content, kept_content)`
