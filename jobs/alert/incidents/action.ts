import type { IncidentAction } from '../../../schemas/incidents.ts'
import { announceOpened, matches } from './announce.ts'
import { tell, type Draft } from './draft.ts'

/** Mutes kept at once: more than an operator can oversee; the oldest one gives way. */
const MUTES_MAX = 1_000

export const applyAction = (draft: Draft, action: IncidentAction): void => {
  announceOpened(draft)
  switch (action.action) {
    case 'acknowledge':
      acknowledge(draft, action)
      break
    case 'mute':
      draft.mutes = [...draft.mutes, action].slice(-MUTES_MAX)
      expireMutes(draft)
      break
    case 'unmute':
      draft.mutes = draft.mutes.filter((mute) => !isSameTarget(mute, action))
      break
  }
}

const acknowledge = (draft: Draft, action: IncidentAction): void => {
  for (const incident of draft.incidents.values()) {
    if (incident.status !== 'open' || !matches(action, incident)) continue
    incident.status = 'acknowledged'
    if (incident.announced) tell(draft, incident, 'acknowledged')
  }
}

/** Mutes end by the clock on the wall, since they are promises between people. */
export const expireMutes = (draft: Draft): void => {
  draft.mutes = draft.mutes.filter(
    ({ until }) => until === null || Date.parse(until) > draft.clockMs
  )
}

const isSameTarget = (a: IncidentAction, b: IncidentAction): boolean =>
  a.fingerprint === b.fingerprint && a.tenant === b.tenant && a.signal === b.signal
