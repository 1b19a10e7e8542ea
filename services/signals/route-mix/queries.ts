import { sqlEquals, sqlTime } from '../sql.ts'
import type { ShareEvent } from '../statistics/share-incidents.ts'

/** SQL over `events` that gives back what a finding says. */

const between = ({ name, change: { before, after } }: ShareEvent): string[] => [
  `kind = 'llm'`,
  sqlEquals('tenant', name[0] ?? null),
  `time >= ${sqlTime(before.fromMs)}`,
  `time < ${sqlTime(after.toMs)}`
]

/** Both sides of the change, model by model, with what the answers were like. */
export const mixQuery = (event: ShareEvent): string => {
  const [, , asked, route] = event.name
  const filters = [
    ...between(event),
    sqlEquals('request_model', asked ?? null),
    sqlEquals('route', route ?? null)
  ]
  return `SELECT after, model, count(DISTINCT decision) AS decisions, count(*) AS calls,
  100.0 * count(DISTINCT decision) / sum(count(DISTINCT decision)) OVER (PARTITION BY after) AS share_pct,
  100.0 * count_if(refusal) / nullif(count(refusal), 0) AS refusal_pct,
  100.0 * count_if(NOT schema_valid) / nullif(count(schema_valid), 0) AS format_failure_pct,
  sum(cost_pico) / 1e12 AS cost_usd
FROM (
  SELECT *, time >= ${sqlTime(event.change.before.toMs)} AS after,
    coalesce(response_model, request_model) AS model,
    coalesce(conversation_id, trace_id, id) AS decision
  FROM events WHERE ${filters.join(' AND ')}
)
GROUP BY after, model ORDER BY after, decisions DESC`
}

/** Turns and switches, of conversations or of end users, before and after. */
export const flipQuery = (event: ShareEvent): string => {
  const who = event.name[1] === 'user' ? '"user"' : 'coalesce(conversation_id, trace_id)'
  return `SELECT after, count(*) AS turns, count_if(model <> previous) AS switches,
  100.0 * count_if(model <> previous) / count(*) AS switch_pct
FROM (
  SELECT time >= ${sqlTime(event.change.before.toMs)} AS after,
    coalesce(response_model, request_model) AS model,
    lag(coalesce(response_model, request_model)) OVER (
      PARTITION BY ${who}, request_model, route ORDER BY time, id
    ) AS previous
  FROM events WHERE ${between(event).join(' AND ')} AND ${who} IS NOT NULL
)
WHERE previous IS NOT NULL GROUP BY after ORDER BY after`
}
