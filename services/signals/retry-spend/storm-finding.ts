import type { Draft } from '../define.ts'
import { fingerprint } from '../fingerprint.ts'
import { sqlEquals, sqlTime } from '../sql.ts'
import { shareOf, type RiseStretch } from '../statistics/rise-change.ts'
import type { Carrier } from '../statistics/share-carriers.ts'
import { pct, usd, usdPerHour, type ShareEvent } from '../statistics/share-incidents.ts'
import type { Words } from '../statistics/series-slots.ts'
import type { Settings } from './settings.ts'

/** The finding about retries that have become a larger share of calls and of money. */

const MINUTE_MS = 60_000
/** With this share of calls refused by rate or load, the provider is the reason. */
const REFUSED_SHARE = 0.5

export type Circumstances = {
  detectedMs: number
  carriers: readonly Carrier[]
  settings: Settings
}

const iso = (ms: number): string => new Date(ms).toISOString()

export const stormFingerprint = ({ name, incidentDay }: ShareEvent): string =>
  fingerprint('retry-spend', ...name, incidentDay)

export const stormDraft = (event: ShareEvent, around: Circumstances): Draft => {
  const { name, change } = event
  const [tenant] = name
  const extra = extraUsdPerHour(event)
  const { after, before } = change
  return {
    fingerprint: stormFingerprint(event),
    status: 'firing',
    severity: severityOf(event, extra, around.settings),
    tenant: tenant ?? null,
    scope: scopeOf(name),
    axis: isRefused(change) ? 'provider' : 'client',
    started_at: iso(before.toMs),
    detected_at: iso(around.detectedMs + MINUTE_MS),
    summary: summary(event, extra, around.settings),
    before: figures(before),
    after: { ...figures(after), evidence_nats: Math.round(event.evidenceNats * 10) / 10 },
    cost_usd_per_hour: extra,
    culprit: null,
    victims: [],
    contributors: around.carriers.map(carrierFigures),
    query: reproduce(event)
  }
}

const carrierFigures = ({ words, before, after, excess }: Carrier) => ({
  tenant: words[0] ?? null,
  provider: words[2] ?? null,
  model: words[3] ?? null,
  route: words[4] ?? null,
  retry_share_before_pct: pct(before),
  retry_share_after_pct: pct(shareOf(after)),
  excess_retries: Math.round(excess)
})

/** Whether most of the retries that came are answers to 429, 503 and 529. */
const isRefused = ({ before, after }: ShareEvent['change']): boolean => {
  const usual = before.n > 0 ? before.sums[2] / before.n : 0
  const retries = after.k - after.n * shareOf(before)
  return after.sums[2] - after.n * usual >= REFUSED_SHARE * retries
}

const scopeOf = ([, level, provider, model, route]: Words): Record<string, string> => {
  const scope: Record<string, string> = { level: level === 'leaf' ? 'route' : (level ?? '') }
  for (const [key, value] of Object.entries({ provider, model, route })) {
    if (value != null) scope[key] = value
  }
  return scope
}

const figures = (stretch: RiseStretch) => {
  const [costPico, retryPico, refused] = stretch.sums
  const operations = stretch.n - stretch.k
  return {
    retry_share_pct: pct(shareOf(stretch)),
    attempts_per_operation:
      operations > 0 ? Math.round((stretch.n / operations) * 100) / 100 : null,
    retry_spend_pct: costPico > 0 ? pct(retryPico / costPico) : null,
    retry_spend_usd: costPico > 0 ? usd(retryPico) : null,
    refused_429_529: refused,
    calls: stretch.n,
    from: iso(stretch.fromMs),
    to: iso(stretch.toMs)
  }
}

/** What retries cost more than at their former share of the money; null when nothing is priced. */
export const extraUsdPerHour = ({ change: { before, after } }: ShareEvent): string | null => {
  const [costBefore, retryBefore] = before.sums
  const [cost, retry] = after.sums
  if (cost <= 0) return null
  const usual = costBefore > 0 ? retryBefore / costBefore : 0
  const first = cost - retry
  const usualPico = usual < 1 ? (first * usual) / (1 - usual) : retry
  return usdPerHour(retry - usualPico, after.toMs - after.fromMs)
}

const severityOf = (
  { change: { after } }: ShareEvent,
  extra: string | null,
  settings: Settings
): Draft['severity'] => {
  if (shareOf(after) >= settings.retryBudget) return 'critical'
  return extra !== null && Number(extra) < settings.costFloorUsdPerHour ? 'info' : 'warning'
}

const summary = (
  { name, change }: ShareEvent,
  extra: string | null,
  settings: Settings
): string => {
  const [tenant, level, provider, model] = name
  const { before, after } = change
  const who = level === 'provider' ? `All tenants of ${provider}` : tenant
  const where = level === 'leaf' && model != null ? ` on ${model}` : ''
  const budget =
    shareOf(after) >= settings.retryBudget ? ` (budget ${pct(settings.retryBudget)} %)` : ''
  const cost = extra === null ? '' : `, ${extra} USD more an hour`
  const why = isRefused(change) ? ': answers to 429, 503 and 529' : ''
  return `${who}: retries${where} are ${pct(shareOf(after))} % of calls instead of ${pct(shareOf(before))} %${budget}, over ${after.n} calls${cost}${why}`
}

const reproduce = ({ name, change: { before, after } }: ShareEvent): string => {
  const [tenant, level, provider, model, route] = name
  const filters = [
    `kind IN ('llm', 'embedding', 'rerank')`,
    ...(level === 'provider' ? [] : [sqlEquals('tenant', tenant ?? null)]),
    ...(level === 'tenant' ? [] : [sqlEquals('provider', provider ?? null)]),
    ...(level === 'leaf'
      ? [
          sqlEquals('coalesce(response_model, request_model)', model ?? null),
          sqlEquals('route', route ?? null)
        ]
      : []),
    `window_start >= ${sqlTime(before.fromMs)}`,
    `window_start < ${sqlTime(after.toMs)}`
  ]
  return `SELECT window_start >= ${sqlTime(before.toMs)} AS after,
  100.0 * sum(n_retry) / sum(n) AS retry_share_pct, sum(n) AS calls, coalesce(sum(n_429), 0) + coalesce(sum(n_529), 0) AS refused_429_529,
  sum(cost_retry_pico) / 1e12 AS retry_spend_usd
FROM windows WHERE ${filters.join(' AND ')} GROUP BY 1 ORDER BY 1`
}
