import { quoted } from '../../../services/lake/parquet-writer.ts'

/**
 * Ids by which two records can be known to tell of one call. Each becomes a hash; equal hashes
 * are looked at closely in `components.ts`, and nothing else ever is: time, model and counts
 * alone are no evidence.
 */

/** Kinds of step that reach a provider. */
const CALL_KINDS = ['llm', 'embedding', 'rerank']
/**
 * Kinds that are known by ids of their own alone, a span that came twice or the id of a tool's call;
 * a tool below a tool is another one.
 */
const STEP_KINDS = ['tool', 'retrieval', 'guardrail']
/**
 * Shorter response ids are counters or constants (`1`, `cmpl`), which servers of one's own give
 * again after each start.
 */
const RESPONSE_ID_LENGTH_MIN = 6

/** What an id is. A record bears the first three, and refers to a span of another one by the last two. */
export const KEY_TYPES = { response: 1, request: 2, span: 3, parent: 4, link: 5 } as const
export type KeyType = keyof typeof KEY_TYPES

/** Ids that every kind of step has for itself. */
const OWN: readonly KeyType[] = ['request', 'span']
const REFERRING: readonly KeyType[] = ['parent', 'link']
/**
 * Only a response id is the same a month later, when a batch or a stored response is fetched
 * again. Spans and requests lie next to one another in time.
 */
const LASTING: readonly KeyType[] = ['response']

/** A reply of a gateway's own cache repeats the ids of the call that filled it, and is none. */
const isWitness = (e: string, type: KeyType): string =>
  `${e}.kind IN (${[...CALL_KINDS, ...(OWN.includes(type) ? STEP_KINDS : [])].map(quoted).join(', ')})
   AND coalesce(${e}.usage_convention NOT LIKE '%response-cache%', true)`

/** By type: the value to hash, and the rows that have one. */
const VALUES: Readonly<Record<KeyType, (e: string) => { value: string; given: string }>> = {
  response: (e) => ({
    value: `${e}.response_id`,
    given: `length(${e}.response_id) >= ${RESPONSE_ID_LENGTH_MIN}`
  }),
  request: (e) => ({ value: `${e}.request_id`, given: `${e}.request_id IS NOT NULL` }),
  span: (e) => ({ value: `${e}.span_id`, given: `${e}.span_id IS NOT NULL` }),
  parent: (e) => ({ value: `${e}.parent_span_id`, given: `${e}.parent_span_id IS NOT NULL` }),
  link: (e) => ({ value: `unnest(${e}.links)`, given: `len(${e}.links) > 0` })
}

/** References are to be found by the span's own hash. */
const hashName = (type: KeyType): string => (REFERRING.includes(type) ? 'span' : type)

/** 63 bits of MD5: the same in every version of DuckDB, since the index outlives them. */
const hashSql = (e: string, type: KeyType, value: string): string =>
  `(md5_number_lower(concat_ws(chr(31), ${quoted(hashName(type))}, ${e}.tenant, ${e}.kind, ${value})) >> 1)::BIGINT`

/**
 * Every id of every call in a relation, as (the `carried` columns, type, refers, near, key_hash).
 */
export const keysSql = (relation: string, carried: readonly string[]): string =>
  (Object.keys(KEY_TYPES) as KeyType[])
    .map((type) => {
      const { value, given } = VALUES[type]('e')
      return `SELECT ${carried.join(', ')}, ${KEY_TYPES[type]} AS type,
        ${REFERRING.includes(type)} AS refers, ${!LASTING.includes(type)} AS near,
        ${hashSql('e', type, value)} AS key_hash
        FROM ${relation} e WHERE ${isWitness('e', type)} AND ${given}`
    })
    .join(' UNION ALL ')
