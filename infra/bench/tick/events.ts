import { EVENT_FIELDS } from '../../../schemas/event-fields.ts'
import { ENRICHED_COLUMNS, FIELD_TYPES } from '../../../schemas/tables.ts'

export type TickSize = { tenants: number; models: number }

/**
 * Events of one minute of some tenants: two calls per tenant and model and a tool's call per tenant,
 * drawn from a hash of the minute.
 */
export const tickEventsSql = (
  startMs: number,
  { models }: TickSize,
  [fromTenant, toTenant]: readonly [number, number]
): string => {
  const draw = (salt: number, below: number): string =>
    `(hash(i, m, c, ${startMs}, ${salt}) % ${below})`
  const llm: Record<string, string> = {
    id: `format('{}-{}-{}-{}', ${startMs}, i, m, c)`,
    time: `make_timestamptz((${startMs} + ${draw(1, 60_000)})::BIGINT * 1000)`,
    tenant: `'tenant-' || i`,
    kind: `CASE WHEN m = ${models} THEN 'tool' ELSE 'llm' END`,
    name: `CASE WHEN m = ${models} THEN 'search' END`,
    provider: `CASE WHEN m < ${models} THEN 'openai' END`,
    request_model: `CASE WHEN m < ${models} THEN 'model-' || m END`,
    response_model: `CASE WHEN m < ${models} THEN 'model-' || m END`,
    route: `'route-' || (i % 3)`,
    trace_id: `format('{}-{}', i, ${startMs})`,
    span_id: `format('{}-{}-{}', i, m, c)`,
    attempt: `1`,
    conversation_id: `format('{}-{}', i, c)`,
    duration_ms: `500 + ${draw(2, 4000)}`,
    in_total: `CASE WHEN m < ${models} THEN 2000 + ${draw(3, 4000)} END`,
    in_cache_read: `CASE WHEN m < ${models} THEN ${draw(4, 2000)} END`,
    in_uncached: `CASE WHEN m < ${models} THEN 2000 END`,
    out_total: `CASE WHEN m < ${models} THEN ${draw(5, 900)} END`,
    out_text: `CASE WHEN m < ${models} THEN 300 END`,
    local_in: `CASE WHEN m < ${models} THEN 1990 + ${draw(3, 4000)} END`,
    local_tokenizer: `'o200k_base'`,
    script: `'Latn'`,
    status: `CASE WHEN ${draw(6, 100)} = 0 THEN 429 ELSE 200 END`,
    refusal: `${draw(7, 50)} = 0`,
    output_schema: `CASE WHEN m = 0 THEN 'order' END`,
    schema_valid: `CASE WHEN m = 0 THEN ${draw(8, 40)} > 0 END`,
    score: `CASE WHEN m = 1 THEN ${draw(9, 1000)} / 1000.0 END`,
    cost_pico: `CASE WHEN m < ${models} THEN 1000000 * ${draw(10, 5000)} END`
  }
  const typed = EVENT_FIELDS.map(
    ({ column, kind }) => `(${llm[column] ?? 'NULL'})::${FIELD_TYPES[kind]} AS "${column}"`
  )
  const enriched = ENRICHED_COLUMNS.map(
    ({ name, type }) => `(${llm[name] ?? 'NULL'})::${type} AS "${name}"`
  )
  return `SELECT ${[...typed, ...enriched].join(', ')}
FROM range(${fromTenant}, ${toTenant}) t(i), range(${models + 1}) u(m), range(2) v(c) WHERE m < ${models} OR c = 0`
}
