import type { Draft } from '../define.ts'
import { fingerprint } from '../fingerprint.ts'
import { sqlEquals, sqlTime } from '../sql.ts'
import { rateOf, type RateChange, type Stretch } from '../statistics/rate-change.ts'
import type { Cause } from './cause.ts'
import type { SeriesName } from './series.ts'

/** Turns what was decided into the finding that people read. */

const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
const PICO_PER_USD = 1e12
/** A fall to half or less is critical. */
const CRITICAL_RATIO = 0.5

export type Collapse = {
  name: SeriesName
  change: RateChange
  detectedMs: number
  /** Day (since the epoch) that the incident began: with the series it is its identity. */
  incidentDay: number
  evidenceNats: number
  cause: Cause
}

export const iso = (ms: number): string => new Date(ms).toISOString()

export const collapseDraft = (collapse: Collapse): Draft => {
  const { name, change, detectedMs, cause } = collapse
  const { before, after } = change
  const extra = extraCostPerHour(change)
  return {
    fingerprint: seriesFingerprint(name, collapse.incidentDay),
    status: 'firing',
    severity: rateOf(after) <= CRITICAL_RATIO * rateOf(before) ? 'critical' : 'warning',
    tenant: name.tenant,
    scope: scopeOf(name),
    axis: cause.axis,
    started_at: iso(before.toMs),
    detected_at: iso(detectedMs),
    summary: summary(collapse, extra),
    before: figures(before),
    after: {
      ...figures(after),
      evidence_nats: round(collapse.evidenceNats, 1),
      mechanism: cause.mechanism,
      mechanism_confidence: cause.confidence
    },
    cost_usd_per_hour: extra,
    culprit: cause.culprit,
    victims: cause.victims,
    contributors: cause.contributors,
    query: reproduce(name, change)
  }
}

export const seriesFingerprint = (name: SeriesName, day: number): string =>
  fingerprint('cache-thrash', name.level, name.tenant, name.provider, name.model, name.route, day)

export const scopeOf = ({ level, provider, model, route, pool }: SeriesName) => {
  const scope: Record<string, string> = { level }
  const entries = { provider, model, route, cache_pool: pool }
  for (const [key, value] of Object.entries(entries)) if (value !== null) scope[key] = value
  return scope
}

export const figures = (stretch: Stretch) => ({
  hit_rate_pct: round(100 * rateOf(stretch), 1),
  events: stretch.n,
  input_tokens: stretch.w,
  cached_tokens: stretch.h,
  from: iso(stretch.fromMs),
  to: iso(stretch.toMs)
})

export const round = (value: number, digits: number): number =>
  Math.round(value * 10 ** digits) / 10 ** digits

/** Cost per input token now against before, at the traffic of now; null when nothing is priced. */
export const extraCostPerHour = ({ before, after }: RateChange): string | null => {
  if (before.costPico <= 0 || after.costPico <= 0 || after.toMs <= after.fromMs) return null
  const perToken = after.costPico / after.w - before.costPico / before.w
  const tokensPerHour = (after.w * HOUR_MS) / (after.toMs - after.fromMs)
  return Math.max(0, (perToken * tokensPerHour) / PICO_PER_USD).toFixed(4)
}

const summary = ({ name, change, cause }: Collapse, extra: string | null): string => {
  const { before, after } = change
  const who = name.tenant === null ? `all tenants on ${name.model}` : name.tenant
  const where = name.level === 'leaf' && name.model !== null ? ` on ${name.model}` : ''
  const minutes = Math.round((after.toMs - after.fromMs) / MINUTE_MS)
  const cost = extra === null ? '' : `, ${extra} USD more an hour`
  return `Cache hit rate of ${who}${where} fell from ${pct(before)} to ${pct(after)} % over ${minutes} min (${after.n} events${cost}): ${cause.sentence}`
}

const pct = (stretch: Stretch): string => (100 * rateOf(stretch)).toFixed(0)

const reproduce = (name: SeriesName, { before, after }: RateChange): string => {
  const filters = [
    ...(name.tenant === null ? [] : [sqlEquals('tenant', name.tenant)]),
    ...(name.level === 'tenant' ? [] : narrow(name)),
    `window_start >= ${sqlTime(before.fromMs)}`,
    `window_start < ${sqlTime(after.toMs)}`
  ]
  return `SELECT window_start >= ${sqlTime(before.toMs)} AS after,
  100.0 * sum(cache_h) / sum(cache_w) AS hit_rate_pct, sum(cache_n) AS events,
  sum(cache_w) AS input_tokens, sum(cache_h) AS cached_tokens
FROM windows WHERE ${filters.join(' AND ')} AND cache_n > 0 GROUP BY 1 ORDER BY 1`
}

const narrow = (name: SeriesName): string[] => {
  const model = [
    sqlEquals('provider', name.provider),
    sqlEquals('coalesce(response_model, request_model)', name.model)
  ]
  if (name.level === 'model') return model
  return [...model, sqlEquals('route', name.route), sqlEquals('cache_pool', name.pool)]
}
