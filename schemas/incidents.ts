import { z } from 'zod'
import { SEVERITIES, type Finding } from './finding.ts'

/**
 * Everything that happens to incidents, in one order: findings and what operators do get the next
 * sequence (1, 2, 3 … without holes) in the same commit that makes them visible. A reader that
 * remembers the last sequence it saw can neither miss nor repeat one, whatever becomes of files.
 */

/** State key of the lake: the sequence that the next finding or operator's action gets. */
export const INCIDENT_SEQUENCE_KEY = 'incidents/next'

/** The signal of findings about budgets of money. */
export const SPEND_BUDGET_SIGNAL = 'spend-budget'
/** The signal of findings about months that are to be closed. */
export const MONTH_CLOSE_SIGNAL = 'month-close'

const SEQUENCE_FIRST = 1

/** The sequence that the next row gets, by the state of the version that the commit builds on. */
export const nextSequence = (state: ReadonlyMap<string, unknown>): number => {
  const value = state.get(INCIDENT_SEQUENCE_KEY)
  return typeof value === 'number' ? value : SEQUENCE_FIRST
}

/** A row of the table `findings`. Times are RFC 3339. */
export type FindingRow = Pick<
  Finding,
  | 'signal'
  | 'fingerprint'
  | 'status'
  | 'severity'
  | 'tenant'
  | 'axis'
  | 'started_at'
  | 'detected_at'
  | 'summary'
  | 'cost_usd_per_hour'
  | 'generation'
> & { sequence: number; finding: string }

/**
 * Gives findings their places. Call it inside the commit's build, with the state it builds on,
 * and write both the rows and the state: that is all it takes for an alert to go out.
 */
export const numberFindings = (
  state: ReadonlyMap<string, unknown>,
  findings: readonly Finding[]
): { rows: FindingRow[]; state: Record<string, number> } => {
  const first = nextSequence(state)
  return {
    rows: findings.map((finding, index) => findingRow(finding, first + index)),
    state: { [INCIDENT_SEQUENCE_KEY]: first + findings.length }
  }
}

const findingRow = (finding: Finding, sequence: number): FindingRow => ({
  sequence,
  signal: finding.signal,
  fingerprint: finding.fingerprint,
  status: finding.status,
  severity: finding.severity,
  tenant: finding.tenant,
  axis: finding.axis,
  started_at: finding.started_at,
  detected_at: finding.detected_at,
  summary: finding.summary,
  cost_usd_per_hour: finding.cost_usd_per_hour,
  finding: JSON.stringify(finding),
  generation: finding.generation
})

/** What an operator does. A mute matches incidents that have every part that it names. */
export const IncidentAction = z.strictObject({
  at: z.iso.datetime(),
  by: z.string().min(1),
  note: z.string(),
  action: z.enum(['acknowledge', 'mute', 'unmute']),
  fingerprint: z.string().nullable(),
  tenant: z.string().nullable(),
  signal: z.string().nullable(),
  /** End of a mute. */
  until: z.iso.datetime().nullable()
})
export type IncidentAction = z.infer<typeof IncidentAction>

/** What is told about an incident. */
export const NOTICE_KINDS = ['opened', 'reopened', 'updated', 'acknowledged', 'resolved'] as const
/** Why a notice is written down but not sent. */
export const WITHHOLDINGS = ['muted', 'inhibited', 'budget'] as const

/** A row of the table `outbox`: one thing to tell, or that was not told and why. */
export const Notice = z.strictObject({
  /** Place in the outbox: 1, 2, 3 … without holes. */
  number: z.int().positive(),
  /** Stable over retries and restarts; receivers tell a repeat by it. */
  id: z.string(),
  at: z.iso.datetime(),
  kind: z.enum(NOTICE_KINDS),
  withheld: z.enum(WITHHOLDINGS).nullable(),
  fingerprint: z.string(),
  /** How many times the incident opened, this one included. */
  episode: z.int().positive(),
  /** The finding that says how the incident stands. */
  sequence: z.int().positive(),
  signal: z.string(),
  tenant: z.string().nullable(),
  severity: z.enum(SEVERITIES)
})
export type Notice = z.infer<typeof Notice>
