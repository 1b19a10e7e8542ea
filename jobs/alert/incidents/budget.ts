import type { Finding } from '../../../schemas/finding.ts'
import type { Draft } from './draft.ts'
import { isFiring, type Incident } from './incident.ts'

/**
 * An alert budget per tenant: a signal gone wild must not bury the rest. What is beyond it stays
 * visible (open incidents, rows of the outbox) and one finding says that it happened.
 */

/** Of one tenant in a day; on-call practice holds that more than a handful get no attention. */
export const BUDGET_PER_TENANT_DAY = 20
/** The signal of the finding that says a budget is used up. */
export const BUDGET_SIGNAL = 'alert-budget'
export const DAY_MS = 86_400_000

const FLEET = ''
const keyOf = (tenant: string | null): string => tenant ?? FLEET

/** Critical ones pass, and so does the message that the budget is used up. */
export const isOverBudget = (draft: Draft, incident: Incident): boolean =>
  incident.severity !== 'critical' &&
  incident.signal !== BUDGET_SIGNAL &&
  spent(draft, incident.tenant).length >= draft.settings.budgetPerTenantDay

export const spend = (draft: Draft, incident: Incident): void => {
  if (incident.signal === BUDGET_SIGNAL) return
  const times = [...spent(draft, incident.tenant), draft.clockMs]
  draft.announcedClockMs.set(keyOf(incident.tenant), times)
}

const spent = (draft: Draft, tenant: string | null): number[] =>
  (draft.announcedClockMs.get(keyOf(tenant)) ?? []).filter((atMs) => atMs > draft.clockMs - DAY_MS)

/** Forgets days that are over, so that the state does not grow with the tenants ever seen. */
export const expireBudgets = (draft: Draft): void => {
  for (const [key, times] of draft.announcedClockMs) {
    const kept = times.filter((atMs) => atMs > draft.clockMs - DAY_MS)
    if (kept.length === 0) draft.announcedClockMs.delete(key)
    else draft.announcedClockMs.set(key, kept)
  }
}

/** Findings about budgets: one firing when a tenant's is used up, one resolved when it is not. */
export const budgetFindings = (draft: Draft, generation: string): Finding[] => {
  const held = new Map<string, number>()
  for (const incident of draft.incidents.values()) {
    if (incident.withheld !== 'budget' || incident.status === 'resolved') continue
    held.set(keyOf(incident.tenant), (held.get(keyOf(incident.tenant)) ?? 0) + 1)
  }
  const findings: Finding[] = []
  for (const [key, count] of held) {
    if (!isToldOpen(draft, key)) findings.push(budgetFinding(draft, key, { count, generation }))
  }
  for (const incident of draft.incidents.values()) {
    if (incident.signal !== BUDGET_SIGNAL || !isFiring(incident)) continue
    const key = keyOf(incident.tenant)
    if (!held.has(key)) findings.push(budgetFinding(draft, key, { count: 0, generation }))
  }
  return findings
}

const fingerprintOf = (key: string): string => `${BUDGET_SIGNAL}/${key}`

const isToldOpen = (draft: Draft, key: string): boolean => {
  const incident = draft.incidents.get(fingerprintOf(key))
  return incident !== undefined && isFiring(incident)
}

type BudgetStand = { count: number; generation: string }

const budgetFinding = (draft: Draft, key: string, stand: BudgetStand): Finding => {
  const at = new Date(Math.max(draft.eventMs, 0)).toISOString()
  const who = key === FLEET ? 'The fleet' : `Tenant ${key}`
  const budget = draft.settings.budgetPerTenantDay
  const firing = stand.count > 0
  return {
    signal: BUDGET_SIGNAL,
    fingerprint: fingerprintOf(key),
    status: firing ? 'firing' : 'resolved',
    severity: 'warning',
    tenant: key === FLEET ? null : key,
    scope: {},
    axis: null,
    started_at: at,
    detected_at: at,
    summary: firing
      ? `${who} used up its budget of ${budget} alerts a day; further incidents are open but not sent.`
      : `${who} has no more incidents that its budget of ${budget} alerts a day holds back.`,
    before: {},
    after: { incidents_withheld: stand.count },
    cost_usd_per_hour: null,
    culprit: null,
    victims: [],
    contributors: [],
    runbook: 'jobs/alert/runbooks/alert-budget.md',
    query: `SELECT * FROM outbox WHERE withheld = 'budget' AND tenant IS NOT DISTINCT FROM ${quote(key)} ORDER BY number`,
    generation: stand.generation
  }
}

const quote = (key: string): string => (key === FLEET ? 'NULL' : `'${key.replaceAll("'", "''")}'`)
