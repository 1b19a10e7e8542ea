import type { Draft } from '../define.ts'
import { fingerprint } from '../fingerprint.ts'
import { sqlEquals, sqlTime } from '../sql.ts'
import { shareOf, type RiseStretch } from '../statistics/rise-change.ts'
import { round } from '../statistics/round.ts'
import { axisOf, titleOf, type Component } from './component.ts'
import type { Settings } from './settings.ts'

/** Turns a rise of failures into the finding that people read. */

const HOUR_MS = 3_600_000
const PICO_PER_USD = 1e12
/** Named beside the worst, at most. */
const CONTRIBUTORS_MAX = 8
/** Calls that fail for at least half of what is asked are critical. */
const CRITICAL_SHARE = 0.5

export const iso = (ms: number): string => new Date(ms).toISOString()
const percent = (share: number): number => round(100 * share, 1)

export const isExcess = ({ excess, calls }: Component, settings: Settings): boolean =>
  excess >= settings.excessFailuresMin && excess >= settings.excessShareMin * calls.n

/** What each component did in the last quarter of an hour: who fails, and who is as usual. */
export const contributorsOf = (
  components: readonly Component[],
  settings: Settings
): Draft['contributors'] =>
  components.slice(0, CONTRIBUTORS_MAX).map((component) => ({
    what: titleOf(component),
    state: isExcess(component, settings) ? 'failing' : 'as usual',
    failed_pct: percent(component.calls.failed / component.calls.n),
    usual_pct: percent(component.usual),
    calls: component.calls.n,
    failed: component.calls.failed,
    excess_failures: round(Math.max(0, component.excess), 1)
  }))

export type Rise = {
  component: Component
  all: readonly Component[]
  before: RiseStretch
  after: RiseStretch
  detectedMs: number
  evidenceNats: number
}

export const scopeOf = ({ kind, name, provider, model }: Component): Record<string, string> =>
  Object.fromEntries(
    Object.entries({ kind, name, provider, model }).filter(
      (entry): entry is [string, string] => entry[1] !== null
    )
  )

const figures = (stretch: RiseStretch): Draft['before'] => ({
  failed_pct: percent(shareOf(stretch)),
  calls: stretch.n,
  failed: stretch.k,
  from: iso(stretch.fromMs),
  to: iso(stretch.toMs)
})

export const riseDraft = (rise: Rise, settings: Settings): Draft => {
  const { component, all, before, after } = rise
  const axis = axisOf(component, all)
  return {
    fingerprint: fingerprint(
      'blind-alerts',
      ...Object.values(scopeOf(component)),
      component.tenant,
      before.toMs
    ),
    status: 'firing',
    severity: shareOf(after) >= CRITICAL_SHARE ? 'critical' : 'warning',
    tenant: component.tenant,
    scope: scopeOf(component),
    axis,
    started_at: iso(before.toMs),
    detected_at: iso(rise.detectedMs),
    summary: `Calls of ${titleOf(component)} of ${component.tenant} fail: ${percent(shareOf(before))} % before, ${percent(shareOf(after))} % of ${after.n} calls since ${iso(before.toMs)}${greenText(all, settings)}`,
    before: figures(before),
    after: { ...figures(after), evidence_nats: round(rise.evidenceNats, 1) },
    cost_usd_per_hour: wastedPerHour(after),
    culprit: null,
    victims: [],
    contributors: contributorsOf(all, settings),
    query: reproduce(component, before, after)
  }
}

/** The rest, which is as usual: an on-call looks there first, in vain. */
export const greenText = (all: readonly Component[], settings: Settings): string => {
  const green = all.filter((one) => !isExcess(one, settings)).slice(0, 3)
  return green.length === 0 ? '' : `; as usual: ${green.map(titleOf).join(', ')}`
}

/** What is paid an hour for calls that fail; null when nothing is priced. */
const wastedPerHour = (after: RiseStretch): string | null =>
  after.sums[0] > 0 && after.toMs > after.fromMs
    ? (
        (after.sums[0] * shareOf(after) * HOUR_MS) /
        (after.toMs - after.fromMs) /
        PICO_PER_USD
      ).toFixed(4)
    : null

const reproduce = (component: Component, before: RiseStretch, after: RiseStretch): string =>
  `SELECT window_start >= ${sqlTime(before.toMs)} AS after,
  100.0 * sum(n_error) / sum(n) AS failed_pct, sum(n) AS calls, sum(n_error) AS failed
FROM windows WHERE ${narrow(component).join(' AND ')}
  AND window_start >= ${sqlTime(before.fromMs)} AND window_start < ${sqlTime(after.toMs)}
GROUP BY 1 ORDER BY 1`

const narrow = ({ tenant, kind, name, provider, model }: Component): string[] => [
  sqlEquals('tenant', tenant),
  sqlEquals('kind', kind),
  sqlEquals('name', name),
  sqlEquals('provider', provider),
  sqlEquals('coalesce(response_model, request_model)', model)
]

/** The last quarter of an hour of a tenant, or of all, by component. */
export const recentQuery = (tenant: string | null, untilMs: number): string =>
  `SELECT tenant, kind, name, provider, coalesce(response_model, request_model) AS model,
  sum(n) AS calls, sum(n_error) AS failed, 100.0 * sum(n_error) / sum(n) AS failed_pct
FROM windows WHERE ${tenant === null ? 'true' : sqlEquals('tenant', tenant)} AND kind <> 'evaluation'
  AND window_start >= ${sqlTime(untilMs - HOUR_MS / 4)} AND window_start < ${sqlTime(untilMs)}
GROUP BY ALL ORDER BY failed DESC`
