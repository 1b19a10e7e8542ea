import { SEVERITIES, type Finding } from '../../../schemas/finding.ts'
import { announceOpened, isMuted } from './announce.ts'
import { tell, type Draft } from './draft.ts'
import { isOpen, type Incident } from './incident.ts'
import { NO_DATA_SIGNAL } from './no-data.ts'
import { FLAP_MS, resolveOrHold } from './resolve.ts'

/** Updates of an incident that is no worse than before are told at most once in this time. */
const UPDATE_MUTE_MS = 3_600_000
/** Tenants kept per incident for inhibition; a pool's victims beyond that are found by the view. */
const TENANTS_MAX = 64

export const applyFinding = (draft: Draft, finding: Finding, sequence: number): void => {
  const known = draft.incidents.get(finding.fingerprint)
  if (finding.status === 'resolved') {
    announceOpened(draft)
    if (known === undefined || !isOpen(known)) draft.strays++
    else resolve(draft, known, sequence)
    return
  }
  if (known === undefined) open(draft, finding, sequence)
  else if (isOpen(known)) update(draft, known, { finding, sequence })
  else reopen(draft, known, { finding, sequence })
}

const resolve = (draft: Draft, incident: Incident, sequence: number): void => {
  incident.sequence = sequence
  resolveOrHold(draft, incident)
}

const open = (draft: Draft, finding: Finding, sequence: number): void => {
  const incident: Incident = {
    fingerprint: finding.fingerprint,
    signal: finding.signal,
    tenant: finding.tenant,
    severity: finding.severity,
    severitiesBefore: [],
    severityClockMs: draft.clockMs,
    status: 'open',
    sequence,
    firstSequence: sequence,
    firingSequence: sequence,
    episode: 1,
    openedAtMs: [Date.parse(finding.detected_at)],
    resolvedAtMs: null,
    resolvedClockMs: null,
    held: null,
    announced: false,
    withheld: null,
    revision: 0,
    toldClockMs: null,
    tenants: tenantsOf(finding),
    covers: coveredSignal(finding)
  }
  draft.incidents.set(incident.fingerprint, incident)
  draft.opening.push(incident)
}

type Firing = { finding: Finding; sequence: number }

const reopen = (draft: Draft, incident: Incident, firing: Firing): void => {
  describe(draft, incident, firing)
  incident.severitiesBefore = []
  incident.status = 'open'
  incident.episode++
  incident.openedAtMs = recentOpenings(incident, firing.finding)
  incident.resolvedAtMs = incident.resolvedClockMs = null
  incident.announced = false
  incident.withheld = null
  draft.opening.push(incident)
}

/** An open incident fires again. When its resolve was waiting, that is a flap nobody hears of. */
const update = (draft: Draft, incident: Incident, firing: Firing): void => {
  const before = incident.severity
  if (incident.held !== null) {
    incident.held = null
    incident.openedAtMs = recentOpenings(incident, firing.finding)
  }
  describe(draft, incident, firing)
  // Whoever acknowledged it acknowledged something less bad.
  if (rank(incident.severity) > rank(before)) incident.status = 'open'
  if (!incident.announced) return
  const isQuiet = draft.clockMs - (incident.toldClockMs ?? 0) < UPDATE_MUTE_MS
  if (incident.severity !== before || (!isQuiet && incident.status === 'open')) {
    tellUpdate(draft, incident)
  }
}

const tellUpdate = (draft: Draft, incident: Incident): void => {
  tell(draft, incident, 'updated', isMuted(draft, incident) ? 'muted' : null)
}

const describe = (draft: Draft, incident: Incident, { finding, sequence }: Firing): void => {
  incident.sequence = incident.firingSequence = sequence
  if (finding.severity !== incident.severity) {
    const before = new Set([...incident.severitiesBefore, incident.severity])
    before.delete(finding.severity)
    incident.severitiesBefore = [...before]
    incident.severityClockMs = draft.clockMs
    incident.severity = finding.severity
  }
  incident.tenants = tenantsOf(finding)
  incident.covers = coveredSignal(finding)
}

const recentOpenings = (incident: Incident, finding: Finding): number[] => {
  const atMs = Date.parse(finding.detected_at)
  return [...incident.openedAtMs.filter((earlierMs) => earlierMs > atMs - FLAP_MS), atMs]
}

const rank = (severity: Incident['severity']): number => SEVERITIES.indexOf(severity)

const coveredSignal = (finding: Finding): string | null =>
  finding.signal === NO_DATA_SIGNAL ? (finding.scope['signal'] ?? null) : null

const tenantsOf = (finding: Finding): string[] => {
  const named = [finding.culprit, ...finding.victims].map((figures) => figures?.['tenant'])
  const tenants = [finding.tenant, ...named].filter((tenant) => typeof tenant === 'string')
  return [...new Set(tenants)].slice(0, TENANTS_MAX)
}
