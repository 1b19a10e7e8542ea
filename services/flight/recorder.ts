import { createHash } from 'node:crypto'
import type { UsageEvent } from '../../schemas/event.ts'
import { policyOf, type Policies } from './policy.ts'
import { createRedact, type Redact } from './redact.ts'
import { tenantId, type FlightStore } from './store.ts'

/**
 * Decides of each step whether its content is kept, redacts it and stores it.
 * @returns the reference that goes on the event as `content_ref`; null = nothing was kept.
 */
export type RecordContent = (event: UsageEvent, content: unknown) => string | null

const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

export const createRecorder = (store: FlightStore, policies: Policies): RecordContent => {
  const redactors = new Map<string, Redact>()
  const redactOf = (tenant: string, own: Readonly<Record<string, string>>): Redact => {
    const known = redactors.get(tenant) ?? createRedact(own)
    redactors.set(tenant, known)
    return known
  }
  return (event, content) => {
    const policy = policyOf(policies, event.tenant)
    const trace = event.trace_id ?? event.id
    if (policy.record === 'off') return null
    if (policy.record === 'sampled' && !isSampled(trace, policy.share)) return null
    const hold = policy.record === 'findings'
    // An error keeps its whole flight: what came before it was held, what follows is kept.
    if (hold && isError(event)) store.keep(event.tenant, trace)
    const redacted = redactOf(event.tenant, policy.redact)(content)
    return store.put(event.tenant, redacted, { trace, ms: Date.parse(event.time), hold })
  }
}

const isError = ({ status, error_type: error }: UsageEvent): boolean =>
  (status ?? 200) >= 400 || error != null

/** By the trace's hash, so that every collector keeps the same whole flights. */
const isSampled = (trace: string, share: number): boolean =>
  createHash('sha256').update(trace).digest().readUInt32BE(0) / 0x1_0000_0000 < share

/** Keeps the flights that findings are about, then forgets what is too old. */
export const settleFlights = (
  store: FlightStore,
  policies: Policies,
  {
    findings,
    nowMs
  }: {
    findings: readonly { tenant: string | null; started_at: string; detected_at: string }[]
    nowMs: number
  }
): { kept: number; forgotten: number } => {
  let kept = 0
  for (const { tenant, started_at: from, detected_at: to } of findings) {
    if (tenant === null || policyOf(policies, tenant).record !== 'findings') continue
    kept += store.keepBetween(tenant, Date.parse(from), Date.parse(to))
  }
  const byId = new Map(Object.entries(policies.tenants).map(([name, own]) => [tenantId(name), own]))
  const forgotten = store.prune(nowMs, (id) => {
    const { keep_days: days, hold_hours: hours } = byId.get(id) ?? policies.default
    return { keepMs: days * DAY_MS, holdMs: hours * HOUR_MS }
  })
  return { kept, forgotten }
}
