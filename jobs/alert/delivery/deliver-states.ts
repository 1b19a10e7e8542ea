import { isOpen, type Incident } from '../incidents/incident.ts'
import type { Outcome, Standing, StateSender } from '../channel.ts'
import { readFold } from '../step.ts'
import { attempt } from './attempt.ts'
import { keepPlace, placeOf } from './deliver-events.ts'
import type { Lane, LaneDoors, RoundReport } from './lane-doors.ts'
import type { Parked } from './lane-state.ts'

/** Notices looked at per round; they only say which incidents changed. */
const BATCH_MAX = 1_000

/**
 * Tells how incidents stand now: those that changed since the last place, those that are open, and
 * those resolved a short while ago. An old change is never told as if it were news, so repeating
 * after a crash can neither re-open nor close anything.
 */
export const deliverStates = async (
  lane: Lane,
  sender: StateSender,
  doors: LaneDoors,
  signal: AbortSignal
): Promise<RoundReport> => {
  const state = await doors.store.state()
  const place = placeOf(lane, state)
  const notices = await doors.store.notices(place, BATCH_MAX)
  doors.observer.pending(lane.name, notices.length)
  const changed = new Set(notices.map(({ fingerprint }) => fingerprint))
  const unknown = { changed, sinceMs: doors.clock().getTime() - sender.resolvedMs }
  const incidents = readFold(await doors.store.state()).incidents.filter((incident) =>
    isToBeTold(incident, unknown)
  )
  const parked: Parked[] = []
  const standings = await describeAll(doors, incidents, unknown)
  for (let from = 0; from < standings.length; from += sender.batchMax) {
    const batch = standings.slice(from, from + sender.batchMax)
    const outcome = await tellSplit(sender, batch, signal, (standing, reason) => {
      if (changed.has(standing.fingerprint)) parked.push(park(standing, notices, reason, doors))
    })
    if (outcome.kind === 'retry') return outcome
  }
  const delivered = notices.at(-1)?.number ?? 0
  const news = standings.filter(({ fingerprint }) => changed.has(fingerprint))
  await keepPlace(lane, doors, { delivered, parked, told: news.length - parked.length })
  return { kind: 'idle' }
}

/** What the receiver may not know: changes since the last place, and since a moment ago. */
type News = { changed: ReadonlySet<string>; sinceMs: number }

const isNews = ({ fingerprint }: Incident, atMs: number, { changed, sinceMs }: News): boolean =>
  changed.has(fingerprint) || atMs >= sinceMs

/** What was never announced is not told, nor that it is over. */
const isToBeTold = (incident: Incident, news: News): boolean =>
  incident.announced && (isOpen(incident) || isNews(incident, incident.resolvedClockMs ?? 0, news))

const describeAll = async (
  { store, links }: LaneDoors,
  incidents: readonly Incident[],
  news: News
): Promise<Standing[]> => {
  const wanted = incidents.map((incident) =>
    isOpen(incident) ? incident.firingSequence : incident.sequence
  )
  const findings = await store.findings(wanted)
  return incidents.flatMap((incident, index) => {
    const finding = findings.get(wanted[index] ?? 0)
    if (finding === undefined) return []
    return [{ ...standingOf(incident, news), finding, links: links(finding) }]
  })
}

const standingOf = (incident: Incident, news: News): Omit<Standing, 'finding' | 'links'> => {
  const { fingerprint, signal, tenant, severity, status, severityClockMs } = incident
  return {
    fingerprint,
    signal,
    tenant,
    severity,
    status,
    severitiesEnded: isNews(incident, severityClockMs, news) ? incident.severitiesBefore : [],
    changedClockMs: incident.resolvedClockMs ?? severityClockMs
  }
}

/** A refused batch is told one by one, so that one bad incident does not hide the others. */
const tellSplit = async (
  sender: StateSender,
  batch: readonly Standing[],
  signal: AbortSignal,
  refused: (standing: Standing, reason: string) => void
): Promise<Outcome> => {
  const outcome = await attempt(() => sender.send(batch, signal))
  if (outcome.kind !== 'rejected') return outcome
  const [only] = batch
  if (batch.length === 1 && only !== undefined) {
    refused(only, outcome.reason)
    return { kind: 'delivered' }
  }
  for (const standing of batch) {
    const single = await tellSplit(sender, [standing], signal, refused)
    if (single.kind === 'retry') return single
  }
  return { kind: 'delivered' }
}

const park = (
  { fingerprint }: Standing,
  notices: readonly { number: number; id: string; fingerprint: string }[],
  reason: string,
  { clock }: LaneDoors
): Parked => {
  const latest = notices.findLast((notice) => notice.fingerprint === fingerprint)
  return {
    number: latest?.number ?? 0,
    id: latest?.id ?? fingerprint,
    fingerprint,
    at: clock().toISOString(),
    reason
  }
}
