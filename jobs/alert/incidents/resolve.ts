import { MONTH_CLOSE_SIGNAL, SPEND_BUDGET_SIGNAL } from '../../../schemas/incidents.ts'
import { tell, type Draft } from './draft.ts'
import { isOpen, type Incident } from './incident.ts'
import { NO_DATA_SIGNAL } from './no-data.ts'

/** An incident that comes back within a day is the same one (detection.md §2.6 point 5). */
export const FLAP_MS = 86_400_000
/** Openings within a day from which an incident counts as flapping: the third time is no accident. */
const FLAP_OPENINGS_MIN = 3
/** A flapping incident is resolved once it was quiet for an hour, as long as updates are muted. */
const QUIET_MS = 3_600_000

/**
 * Resolves an incident, or holds the resolve: for quiet when it flaps, for data while there is
 * none, since what sends no data has not recovered.
 */
export const resolveOrHold = (draft: Draft, incident: Incident): void => {
  const reason = holdReason(draft, incident)
  if (reason === null) close(draft, incident)
  else incident.held ??= { for: reason, sinceMs: draft.eventMs }
}

const holdReason = (draft: Draft, incident: Incident): 'quiet' | 'data' | null => {
  if (lacksData(draft, incident)) return 'data'
  return recentOpenings(draft, incident) >= FLAP_OPENINGS_MIN ? 'quiet' : null
}

const recentOpenings = (draft: Draft, incident: Incident): number =>
  incident.openedAtMs.filter((atMs) => atMs > draft.eventMs - FLAP_MS).length

/** These end for other reasons than that something recovered: silence does not hold them. */
const NOT_HELD: readonly string[] = [NO_DATA_SIGNAL, SPEND_BUDGET_SIGNAL, MONTH_CLOSE_SIGNAL]

const lacksData = (draft: Draft, incident: Incident): boolean => {
  if (NOT_HELD.includes(incident.signal)) return false
  for (const other of draft.incidents.values()) {
    if (other.signal === NO_DATA_SIGNAL && isOpen(other) && covers(other, incident)) return true
  }
  return false
}

const covers = (noData: Incident, incident: Incident): boolean =>
  (noData.tenant === null || noData.tenant === incident.tenant) &&
  (noData.covers ?? incident.signal) === incident.signal

const close = (draft: Draft, incident: Incident): void => {
  incident.status = 'resolved'
  incident.held = null
  incident.resolvedAtMs = draft.eventMs
  incident.resolvedClockMs = draft.clockMs
  const wasWithheld = incident.withheld
  incident.withheld = null
  tell(draft, incident, 'resolved', incident.announced ? null : wasWithheld)
}

/** Lets held resolves happen when what they waited for came to pass. */
export const releaseHeld = (draft: Draft): void => {
  for (const incident of draft.incidents.values()) {
    const { held } = incident
    if (held === null || lacksData(draft, incident)) continue
    if (held.for === 'data' || draft.eventMs - held.sinceMs >= QUIET_MS) close(draft, incident)
  }
}

/** An incident is forgotten when its return would count as a new one. */
export const forgetOld = (draft: Draft): void => {
  for (const [fingerprint, { resolvedAtMs }] of draft.incidents) {
    if (resolvedAtMs !== null && draft.eventMs - resolvedAtMs > FLAP_MS) {
      draft.incidents.delete(fingerprint)
    }
  }
}
