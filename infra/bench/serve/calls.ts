/**
 * The calls of one hour of a gateway with a thousand tenants. Traffic is skewed as in life: a tenant's
 * share falls with its rank (the largest has a tenth of all calls, the smaller half a tenth together),
 * each uses at most three of five models and two of four routes, and nights are quieter than noons.
 * All is drawn from hashes, so that a lake of one size is always the same.
 */

export const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS
const TENANTS = 1000
const MODELS = [
  ['openai', 'gpt-4o-2024-08-06'],
  ['openai', 'gpt-4o-mini-2024-07-18'],
  ['anthropic', 'claude-sonnet-4-5-20250929'],
  ['anthropic', 'claude-haiku-4-5-20251001'],
  ['google', 'gemini-2.5-flash']
] as const

/** Share of a mean hour's calls that an hour has, 0.5 to 1.5 over a day. */
export const callsOfHour = (startMs: number, mean: number): number => {
  const hourOfDay = (startMs / HOUR_MS) % 24
  return Math.round(mean * (1 + 0.5 * Math.sin(((hourOfDay - 8) / 24) * 2 * Math.PI)))
}

export type Stretch = { startMs: number; lengthMs: number; calls: number; firstOffset: number }

/** Columns of the calls by name: expressions over `i` and what `DRAWN` names. */
const COLUMNS: Readonly<Record<string, string>> = {
  id: `'call-' || i`,
  source: `'gateway'`,
  tenant: `'tenant-' || t`,
  project: `'project-' || (t % 7)`,
  user: `format('user-{}-{}', t, (u3 * 20)::INTEGER)`,
  trace_id: `'trace-' || (i // 3)`,
  span_id: `'span-' || i`,
  kind: `CASE WHEN is_tool THEN 'tool' ELSE 'llm' END`,
  name: `CASE WHEN is_tool THEN 'tool-' || ((t + floor(3 * u3)) % 6)::INTEGER END`,
  provider: `CASE WHEN NOT is_tool THEN provider END`,
  request_model: `CASE WHEN NOT is_tool THEN model END`,
  response_model: `CASE WHEN NOT is_tool THEN model END`,
  region: `CASE WHEN t % 3 = 0 THEN 'eu' ELSE 'us' END`,
  route: `'route-' || ((t // 5 + floor(1.3 * u4)) % 4)::INTEGER`,
  script: `CASE WHEN is_tool THEN NULL WHEN t % 10 = 0 THEN 'Jpan' ELSE 'Latn' END`,
  attempt: `CASE WHEN u5 < 0.02 THEN 2 ELSE 1 END`,
  status: `CASE WHEN u5 > 0.99 THEN 429 WHEN u5 > 0.985 THEN 500 ELSE 200 END`,
  in_uncached: `CASE WHEN NOT is_tool THEN uncached END`,
  in_cache_read: `CASE WHEN NOT is_tool THEN cached END`,
  out_text: `CASE WHEN NOT is_tool THEN written END`,
  local_tokenizer: `CASE WHEN NOT is_tool THEN 'o200k_base' END`,
  local_in: `CASE WHEN NOT is_tool THEN uncached + cached + (9 * u3)::INTEGER END`,
  local_out: `CASE WHEN NOT is_tool THEN written END`,
  refusal: `CASE WHEN NOT is_tool THEN u6 < 0.01 END`,
  output_schema: `CASE WHEN NOT is_tool AND t % 4 = 0 THEN 'order' END`,
  schema_valid: `CASE WHEN NOT is_tool AND t % 4 = 0 THEN u6 < 0.97 END`,
  duration_ms: `CASE WHEN is_tool THEN (5000 * u2 * u2)::BIGINT ELSE 300 + 12 * written END`,
  ttft_ms: `CASE WHEN NOT is_tool THEN 200 + uncached // 20 + (300 * u4)::BIGINT END`
}

export const CALL_COLUMNS = ['partition', 'offset', 'append_time', 'time', ...Object.keys(COLUMNS)]

/** The calls as the table that a flush works on: one row a record, in the order of the log. */
export const callsSql = ({ startMs, lengthMs, calls, firstOffset }: Stretch): string => {
  const columns = Object.entries(COLUMNS).map(([name, sql]) => `${sql} AS "${name}"`)
  const models = MODELS.map(([provider, model]) => `{provider: '${provider}', model: '${model}'}`)
  const draws = [1, 2, 3, 4, 5, 6].map(
    (n) => `hash(i * 8 + ${n}) / 18446744073709551616.0 AS u${n}`
  )
  const time = `make_timestamp((${startMs * 1000} + (i - ${firstOffset}) * ${lengthMs * 1000} // ${calls})::BIGINT)`
  return `SELECT 0 AS "partition", i::DOUBLE AS "offset", ${time} + INTERVAL 2 SECONDS AS append_time,
    ${time} AS time, ${columns.join(', ')}
  FROM (SELECT *, pick.provider AS provider, pick.model AS model FROM (
    SELECT *, [${models.join(', ')}][1 + ((t + floor(3 * u2 * u2)) % ${MODELS.length})::BIGINT] AS pick,
      u6 < 0.12 AS is_tool, exp(6 + 2 * u3)::BIGINT AS uncached, (3000 * u4)::BIGINT AS cached,
      exp(3 + 3 * u5)::BIGINT AS written
    FROM (SELECT *, floor(pow(${TENANTS}, u1))::INTEGER AS t FROM (
      SELECT i, ${draws.join(', ')} FROM range(${firstOffset}, ${firstOffset + calls}) r(i)))))`
}
