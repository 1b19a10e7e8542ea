import { DAY_MS, HOUR_MS } from './calls.ts'

/** What people ask of thirty days; `tenant` is whose key asks, null = everybody's. */
export type Question = {
  name: string
  route: string
  input: Record<string, unknown>
  tenant: string | null
}

/** A question about the `days` before a time. */
export type Asked = (untilMs: number) => Question

const range = (untilMs: number, days: number) => ({
  from: new Date(untilMs - days * DAY_MS).toISOString(),
  to: new Date(untilMs).toISOString()
})

type More = { input?: Record<string, unknown>; tenant?: string }

const asked =
  (name: string, route: string, days: number, { input = {}, tenant }: More = {}): Asked =>
  (untilMs) => ({
    name,
    route,
    input: { ...range(untilMs, days), ...input },
    tenant: tenant ?? null
  })

const overview = (name: string, days: number, more?: More): Asked =>
  asked(`overview, ${name}`, 'overview', days, more)

const explore = (name: string, days: number, input: Record<string, unknown>): Asked =>
  asked(`explore ${name}`, 'explore', days, { input: { step: 'none', limit: 20, ...input } })

const TENANT = 'tenant-3'
const SIX_HOURS = (6 * HOUR_MS) / DAY_MS

export const QUESTIONS: readonly Asked[] = [
  overview('6 hours by the minute', SIX_HOURS),
  overview('1 day', 1),
  overview('30 days', 30),
  overview('a tenant of all, 30 days', 30, { input: { tenant: TENANT } }),
  overview('a tenant by its own key, 30 days', 30, { tenant: TENANT }),
  explore('cost by tenant, 30 days', 30, { measures: ['cost_usd', 'calls'], by: ['tenant'] }),
  explore('cost by model and route by day', 30, {
    measures: ['cost_usd'],
    by: ['model', 'route'],
    step: '86400'
  }),
  explore('cost by tenant and model, 30 days', 30, {
    measures: ['cost_usd'],
    by: ['tenant', 'model']
  }),
  explore('calls by tool by hour, 30 days', 30, {
    measures: ['calls', 'error_rate'],
    by: ['name'],
    step: '3600'
  }),
  explore('cost of a tenant by model by hour, 30 days', 30, {
    measures: ['cost_usd'],
    by: ['model'],
    filter: [`tenant:${TENANT}`],
    step: '3600'
  }),
  explore('hit rate by tenant by hour, 7 days', 7, {
    measures: ['cache_hit_rate'],
    by: ['tenant'],
    step: '3600',
    limit: 10
  }),
  explore('p95 duration by model, 30 days', 30, { measures: ['duration_p95_ms'], by: ['model'] }),
  explore('p95 duration by tenant, 30 days', 30, { measures: ['duration_p95_ms'], by: ['tenant'] }),
  explore('p95 duration by tenant and model, 30 days', 30, {
    measures: ['duration_p95_ms'],
    by: ['tenant', 'model']
  }),
  explore('calls by model by minute, 6 hours', SIX_HOURS, {
    measures: ['calls'],
    by: ['model'],
    step: '60'
  }),
  asked('events of a tenant that failed, 1 day', 'events', 1, {
    input: { tenant: TENANT, failed: 'true', limit: 50 }
  })
]
