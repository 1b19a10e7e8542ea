import type { Finding } from '../../schemas/finding.ts'
import { EVENT_FILTERS, filterSql } from './filter.ts'

/** Which calls stand behind a finding: those of what it concerns, since the change. */

/** Names in a finding's scope that narrow events, by the name that filters of `/v1/events` have for them. */
const SCOPE_FILTERS: Readonly<Record<string, string>> = {
  model: 'model',
  requested_model: 'request_model',
  provider: 'provider',
  emitter: 'emitter',
  route: 'route',
  cache_pool: 'cache_pool',
  kind: 'kind',
  name: 'name',
  tool: 'name',
  tokenizer: 'local_tokenizer',
  script: 'script',
  schema: 'output_schema',
  trace: 'trace'
}

export type Concern = Pick<Finding, 'tenant' | 'scope' | 'started_at' | 'detected_at'>

/** What `filter` of `/v1/events` gives them for. */
export const evidenceFilters = ({ tenant, scope }: Concern): string[] => [
  ...(tenant === null ? [] : [`tenant:${tenant}`]),
  ...Object.entries(scope).flatMap(([name, value]) =>
    SCOPE_FILTERS[name] === undefined ? [] : [`${SCOPE_FILTERS[name]}:${value}`]
  )
]

/** The newest of them, out of a relation that has the columns of `events`. */
export const evidenceSql = (finding: Concern, from: string, limit: number): string => {
  const where = [
    `time >= '${finding.started_at}' AND time <= '${finding.detected_at}'`,
    ...filterSql(evidenceFilters(finding), EVENT_FILTERS)
  ].join(' AND ')
  return `SELECT * FROM ${from}\nWHERE ${where}\nORDER BY time DESC LIMIT ${limit}`
}
