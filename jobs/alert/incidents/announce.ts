import type { IncidentAction, Notice } from '../../../schemas/incidents.ts'
import { isOverBudget, spend } from './budget.ts'
import { tell, type Draft } from './draft.ts'
import { isOpen, type Incident } from './incident.ts'
import { findCause } from './inhibition.ts'

/**
 * Announces what opened, causes before effects: findings of one minute come in no order that says
 * which explains which.
 */
export const announceOpened = (draft: Draft): void => {
  const causes = new Set(draft.settings.inhibitions.map(({ cause }) => cause))
  const [first, second] = [true, false].map((isCause) =>
    draft.opening.filter(({ signal }) => causes.has(signal) === isCause)
  )
  draft.opening = []
  for (const incident of [...(first ?? []), ...(second ?? [])]) announce(draft, incident)
}

/** Tells that an incident opened, or writes down why it is not told. */
const announce = (draft: Draft, incident: Incident): void => {
  const kind = incident.episode > 1 ? 'reopened' : 'opened'
  const withheld = withholding(draft, incident)
  // Once written down, a withheld incident is not written down again for the same reason.
  if (withheld !== null && withheld === incident.withheld) return
  incident.withheld = withheld
  if (withheld === null) {
    incident.announced = true
    spend(draft, incident)
  }
  tell(draft, incident, kind, withheld)
}

/** What is open and was withheld is told as soon as nothing withholds it any more. */
export const releaseWithheld = (draft: Draft): void => {
  for (const incident of draft.incidents.values()) {
    if (isOpen(incident) && incident.withheld !== null) announce(draft, incident)
  }
}

const withholding = (draft: Draft, incident: Incident): Notice['withheld'] => {
  if (isMuted(draft, incident)) return 'muted'
  const cause = findCause(incident, draft.incidents.values(), draft.settings.inhibitions)
  if (cause !== null) return 'inhibited'
  return isOverBudget(draft, incident) ? 'budget' : null
}

export const isMuted = (draft: Draft, incident: Incident): boolean =>
  draft.mutes.some((mute) => matches(mute, incident))

/** A part that the action does not name matches anything. */
export const matches = (action: IncidentAction, incident: Incident): boolean =>
  (action.fingerprint ?? incident.fingerprint) === incident.fingerprint &&
  (action.tenant === null || action.tenant === incident.tenant) &&
  (action.signal ?? incident.signal) === incident.signal
