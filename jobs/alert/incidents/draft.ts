import { createHash } from 'node:crypto'
import type { Notice } from '../../../schemas/incidents.ts'
import type { InhibitionRule } from './inhibition.ts'
import type { FoldState, Incident } from './incident.ts'

/** A fold at work: the state, taken apart so that one step can change it. Never leaves the fold. */
export type Draft = {
  eventMs: number
  nextNumber: number
  incidents: Map<string, Incident>
  mutes: FoldState['mutes']
  announcedClockMs: Map<string, number[]>
  strays: number
  /** Opened, but what else happened in the same minute is still to be seen. */
  opening: Incident[]
  notices: Notice[]
  settings: FoldSettings
  clockMs: number
}

export type FoldSettings = {
  /** Announcements per tenant and day beyond which only critical incidents are told. */
  budgetPerTenantDay: number
  inhibitions: readonly InhibitionRule[]
}

export const openDraft = (state: FoldState, settings: FoldSettings, clockMs: number): Draft => ({
  eventMs: state.eventMs,
  nextNumber: state.nextNumber,
  incidents: new Map(state.incidents.map((incident) => [incident.fingerprint, { ...incident }])),
  mutes: [...state.mutes],
  announcedClockMs: new Map(Object.entries(state.announcedClockMs)),
  strays: state.strays,
  opening: [],
  notices: [],
  settings,
  clockMs
})

/** Sorted, so that equal states are equal texts. */
export const closeDraft = (draft: Draft, through: number): FoldState => ({
  through,
  eventMs: draft.eventMs,
  nextNumber: draft.nextNumber,
  incidents: sortedEntries(draft.incidents).map(([, incident]) => incident),
  mutes: draft.mutes,
  announcedClockMs: Object.fromEntries(sortedEntries(draft.announcedClockMs)),
  strays: draft.strays
})

const sortedEntries = <Value>(map: ReadonlyMap<string, Value>): [string, Value][] =>
  [...map].sort(([a], [b]) => (a < b ? -1 : 1))

/** Writes a notice about the incident as it stands. */
export const tell = (
  draft: Draft,
  incident: Incident,
  kind: Notice['kind'],
  withheld: Notice['withheld'] = null
): void => {
  incident.revision++
  if (withheld === null) incident.toldClockMs = draft.clockMs
  draft.notices.push({
    number: draft.nextNumber++,
    id: noticeId(incident),
    at: new Date(draft.clockMs).toISOString(),
    kind,
    withheld,
    fingerprint: incident.fingerprint,
    episode: incident.episode,
    sequence: kind === 'resolved' ? incident.sequence : incident.firingSequence,
    signal: incident.signal,
    tenant: incident.tenant,
    severity: incident.severity
  })
}

/** An identity made of the incident's history alone: no clock, no chance. */
const noticeId = (incident: Incident): string => {
  const identity = [incident.fingerprint, incident.firstSequence, incident.revision].join('\n')
  return `msg_${createHash('sha256').update(identity).digest('hex').slice(0, 32)}`
}
