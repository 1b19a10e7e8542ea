import { z } from 'zod'
import { SEVERITIES } from '../../../schemas/finding.ts'
import { IncidentAction, WITHHOLDINGS } from '../../../schemas/incidents.ts'

/**
 * What the fold remembers. Two clocks run in it. The life of an incident (reopening, flapping,
 * held resolves) runs on event time, so that a replay of old data tells the same story; what
 * spares people (mutes, budget, pace of updates) runs on the clock on the wall.
 */

/** An incident, without the finding's body: that is read by `sequence` when it is told. */
export const Incident = z.strictObject({
  fingerprint: z.string(),
  signal: z.string(),
  tenant: z.string().nullable(),
  severity: z.enum(SEVERITIES),
  /** Severities that the running episode had before, and the wall clock of the last change. */
  severitiesBefore: z.array(z.enum(SEVERITIES)),
  severityClockMs: z.number(),
  status: z.enum(['open', 'acknowledged', 'resolved']),
  /** The latest finding about it, and the one that opened it for the first time. */
  sequence: z.int(),
  firstSequence: z.int(),
  /** The latest finding that was firing: what is shown while the resolve is held. */
  firingSequence: z.int(),
  episode: z.int(),
  /** Event times at which it opened within the last `FLAP_MS`. */
  openedAtMs: z.array(z.number()),
  resolvedAtMs: z.number().nullable(),
  /** The wall clock when it was resolved: receivers are told for some minutes more. */
  resolvedClockMs: z.number().nullable(),
  /** A resolve that waits: for quiet, or for data to come back. */
  held: z.strictObject({ for: z.enum(['quiet', 'data']), sinceMs: z.number() }).nullable(),
  /** Whether the running episode was told; the resolve is told exactly then. */
  announced: z.boolean(),
  withheld: z.enum(WITHHOLDINGS).nullable(),
  /** Notices written about it so far. */
  revision: z.int(),
  toldClockMs: z.number().nullable(),
  /** Tenants that it explains: its own, the culprit's, the victims'. */
  tenants: z.array(z.string()),
  /** For `no-data`: the signal that has no data, null for all of them. */
  covers: z.string().nullable()
})
export type Incident = z.infer<typeof Incident>

export const FoldState = z.strictObject({
  /** Findings and actions up to this sequence are in. */
  through: z.int(),
  /** Latest event time seen. */
  eventMs: z.number(),
  /** Number of the next notice. */
  nextNumber: z.int(),
  incidents: z.array(Incident),
  mutes: z.array(IncidentAction),
  /** Wall-clock times of what was announced in the last day, by tenant ('' = the fleet). */
  announcedClockMs: z.record(z.string(), z.array(z.number())),
  /** Findings that resolved what was not open: counted, since nothing fails silently. */
  strays: z.int()
})
export type FoldState = z.infer<typeof FoldState>

export const EMPTY_FOLD: FoldState = {
  through: 0,
  eventMs: 0,
  nextNumber: 1,
  incidents: [],
  mutes: [],
  announcedClockMs: {},
  strays: 0
}

/** Open by its latest finding: not one whose resolve is being held. */
export const isFiring = (incident: Incident): boolean => isOpen(incident) && incident.held === null

export const isOpen = (incident: Incident): boolean => incident.status !== 'resolved'
