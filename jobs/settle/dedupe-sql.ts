import { EVENT_FIELDS } from '../../schemas/event-fields.ts'

/**
 * Exact deduplication of an hour. `candidates` holds its kept records and the raw rows beyond,
 * `key_hashes` the hash of the key of each by its row, and `elsewhere` records of other hours that
 * have the key of a candidate. Few keys repeat, so only those are looked at as a whole: hours are
 * large, and a second copy of one costs more memory than all the rest.
 */

/** An event's identity. A missing source is a source of its own. */
const KEY = ['tenant', "coalesce(source, '')", 'id']

const SEPARATOR = 'chr(31)'

/** 63 bits of MD5: the same in every version of DuckDB, since the index outlives them. */
export const keyHashSql = (alias: string): string =>
  `(md5_number_lower(concat_ws(${SEPARATOR}, ${alias}.tenant, coalesce(${alias}.source, ''), ${alias}.id)) >> 1)::BIGINT`

/** Where a record stands in the order that decides between records of one key. */
const position = (alias: string): string =>
  `(${alias}.append_time, ${alias}."partition", ${alias}."offset")`

/** All that an event says, apart from how it travelled: tells a repeat from a conflict. */
const CONTENT = `hash(${EVENT_FIELDS.map(({ column }) => `"${column}"`).join(', ')})`

export const KEY_HASHES_SQL = `CREATE OR REPLACE TEMP TABLE key_hashes AS
  SELECT rowid AS r, ${keyHashSql('c')} AS key_hash FROM temp.candidates c`

/**
 * `ranked`: every candidate whose key has several records, with its place among them. The first one
 * counts, unless an earlier record of the key lies in another hour.
 */
export const RANKED_SQL = `CREATE OR REPLACE TEMP TABLE ranked AS
  WITH repeated AS (
    SELECT key_hash FROM temp.key_hashes GROUP BY key_hash HAVING count(*) > 1
    UNION SELECT ${keyHashSql('x')} FROM temp.elsewhere x)
  SELECT r, tenant, source, id, topic, append_time, "partition", "offset",
    (${CONTENT} >> 1)::BIGINT AS content,
    row_number() OVER same_key AS place,
    first_value(${CONTENT} >> 1) OVER same_key AS kept_content,
    (SELECT min(x.content) FROM temp.elsewhere x WHERE x.tenant = c.tenant
       AND coalesce(x.source, '') = coalesce(c.source, '') AND x.id = c.id
       AND ${position('x')} < ${position('c')}) AS earlier_content
  FROM temp.candidates c JOIN (FROM temp.key_hashes SEMI JOIN repeated USING (key_hash)) k
    ON k.r = c.rowid
  WINDOW same_key AS (PARTITION BY ${KEY.join(', ')} ORDER BY append_time, "partition", "offset")`

/** Ranked records that count. */
export const KEPT = 'place = 1 AND earlier_content IS NULL'

/** Records left out whose content is not that of the record that counts. */
export const CONFLICTS = `NOT (${KEPT}) AND content <> coalesce(earlier_content, kept_content)`

/** `kept`: every record of the hour that counts, numbered `r`. */
export const KEPT_SQL = `CREATE OR REPLACE TEMP VIEW kept AS
  SELECT * FROM (SELECT rowid AS r, * FROM temp.candidates)
  ANTI JOIN (SELECT r FROM temp.ranked WHERE NOT (${KEPT})) USING (r)`
