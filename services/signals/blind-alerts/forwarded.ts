import type { Columns, Draft } from '../define.ts'
import { fingerprint } from '../fingerprint.ts'
import { axisOf, componentsOf, titleOf } from './component.ts'
import { contributorsOf, greenText, iso, isExcess, recentQuery, scopeOf } from './finding.ts'
import type { State } from './state.ts'

/**
 * Alerts of others that say that something fails and not where to look. What they lack is worked
 * out from the minutes before them; an alert that carries all three is left alone.
 */

const LACKS = ['axis', 'runbook', 'contributors'] as const
/** Open alerts that are remembered; the oldest go first. */
const ALERTS_MAX = 1_000
const MINUTE_MS = 60_000

type Alert = {
  id: string
  name: string
  tenant: string
  isResolved: boolean
  severity: string | null
  missing: string[]
  ms: number
}

const alertOf = ({ texts, measures, series, keys }: Columns, row: number): Alert => {
  const text = (name: string): string | null => texts[name]?.at(row) ?? null
  return {
    id: text('alert') ?? text('id') ?? '',
    name: text('name') ?? 'unnamed',
    tenant: keys[series[row]!]?.[0] ?? '',
    isResolved: text('status') === 'resolved',
    severity: text('severity'),
    missing: LACKS.filter((lack) => (text(lack) ?? '') === ''),
    ms: measures['time_ms']![row]!
  }
}

export const readAlerts = (
  state: State,
  columns: Columns | undefined,
  startMs: number
): Draft[] => {
  const drafts: Draft[] = []
  for (let row = 0; row < (columns?.rows ?? 0); row++) {
    const alert = alertOf(columns!, row)
    const draft = alert.isResolved ? close(state, alert) : open(state, alert, startMs)
    if (draft !== null) drafts.push(draft)
  }
  return drafts
}

const close = ({ alerts }: State, { id, ms }: Alert): Draft | null => {
  const known = alerts.get(id)
  if (known === undefined) return null
  alerts.delete(id)
  return { ...known, status: 'resolved', detected_at: iso(ms) }
}

const open = (state: State, alert: Alert, startMs: number): Draft | null => {
  const { alerts } = state
  if (alerts.has(alert.id) || alert.missing.length === 0) return null
  const draft = blindDraft(state, alert, startMs)
  alerts.set(alert.id, draft)
  const [oldest] = alerts.keys()
  if (alerts.size > ALERTS_MAX && oldest !== undefined) alerts.delete(oldest)
  return draft
}

const blindDraft = (state: State, alert: Alert, startMs: number): Draft => {
  const { settings, slots } = state
  const own = componentsOf(slots, alert.tenant, startMs)
  // An alert about a host or a service names no tenant that we know: then all are looked at.
  const tenant = own.length > 0 ? alert.tenant : null
  const all = own.length > 0 ? own : componentsOf(slots, null, startMs)
  const [worst] = all
  const found = worst !== undefined && isExcess(worst, settings)
  const axis = found ? axisOf(worst, all) : null
  const told = found
    ? `${titleOf(worst)} fails (${worst.calls.failed} of ${worst.calls.n} calls)${greenText(all, settings)}`
    : 'nothing that we see fails more than usual in the quarter of an hour before it'
  return {
    fingerprint: fingerprint('blind-alerts', 'forwarded', alert.id),
    status: 'firing',
    severity: alert.severity === 'critical' ? 'critical' : 'warning',
    tenant: alert.tenant === '' ? null : alert.tenant,
    scope: { alert: alert.name, ...(found ? scopeOf(worst) : {}) },
    axis,
    started_at: iso(alert.ms),
    detected_at: iso(startMs + MINUTE_MS),
    summary: `Alert ${alert.name} says no ${alert.missing.join(', no ')}: ${told}`,
    before: {},
    after: {
      missing: alert.missing.join(' '),
      failed: found ? worst.calls.failed : 0,
      calls: found ? worst.calls.n : 0
    },
    cost_usd_per_hour: null,
    culprit: null,
    victims: [],
    contributors: contributorsOf(all, settings),
    query: recentQuery(tenant, startMs + MINUTE_MS)
  }
}
