import type { Notice } from '../../../schemas/incidents.ts'
import { Failure } from '../../../schemas/failure.ts'
import type { EventSender, Notification, Outcome } from '../channel.ts'
import { attempt } from './attempt.ts'
import type { Lane, LaneDoors, RoundReport } from './lane-doors.ts'
import { advanceLane, laneKey, readLane, type Parked } from './lane-state.ts'

/** Notices told per commit of the place: what a crash makes us tell a second time, at most. */
const BATCH_MAX = 20
/**
 * Failures in a row after which the next notice is tried: when that one passes, the receiver is
 * well and it is the first that it chokes on. About half an hour by the back-off's waits.
 */
export const PROBE_ATTEMPTS = 12

/** Tells waiting notices one after the other; stops at the first that must wait. */
export const deliverEvents = async (
  lane: Lane,
  sender: EventSender,
  doors: LaneDoors,
  signal: AbortSignal
): Promise<RoundReport> => {
  for (;;) {
    const place = placeOf(lane, await doors.store.state())
    const notices = await doors.store.notices(place, BATCH_MAX)
    doors.observer.pending(lane.name, notices.length)
    if (signal.aborted) return { kind: 'idle' }
    if (notices.length === 0) {
      // What an earlier commit could not keep is kept now.
      await keepPlace(lane, doors, NOTHING_TOLD)
      return { kind: 'idle' }
    }
    const round = await tellBatch({ sender, attempts: lane.attempts, signal }, doors, notices)
    await keepPlace(lane, doors, round)
    if (round.delivered > 0) lane.attempts = 0
    if (round.report !== null) return round.report
  }
}

/** How a batch is told. */
type Telling = { sender: EventSender; attempts: number; signal: AbortSignal }

type Round = {
  /** Notices up to this number need no more telling. */
  delivered: number
  /** Told before their turn, as a probe. */
  early: Set<number>
  parked: Parked[]
  told: number
  report: RoundReport | null
}

const tellBatch = async (
  telling: Telling,
  doors: LaneDoors,
  notices: readonly Notice[]
): Promise<Round> => {
  const waiting = await describeAll(doors, notices)
  const round: Round = { delivered: 0, early: new Set(), parked: [], told: 0, report: null }
  for (const { number } of notices) {
    const notification = waiting.get(number)
    if (notification !== undefined && !round.early.has(number)) {
      waiting.delete(number)
      // What failed before was the first of this batch: behind it the count starts anew.
      const attempts = round.delivered === 0 ? telling.attempts : 0
      const outcome = await tellOne({ ...telling, attempts }, notification, { round, waiting })
      if (outcome.kind === 'retry') return { ...round, report: outcome }
      record(round, notification.notice, outcome, doors)
    }
    round.delivered = number
  }
  return round
}

/** A retry becomes a refusal when the receiver takes the next notice but never this one. */
const tellOne = async (
  { sender, attempts, signal }: Telling,
  notification: Notification,
  { round, waiting }: { round: Round; waiting: ReadonlyMap<number, Notification> }
): Promise<Outcome> => {
  const outcome = await attempt(() => sender.send(notification, signal))
  const [next] = waiting.values()
  if (outcome.kind !== 'retry' || attempts < PROBE_ATTEMPTS || next === undefined) {
    return outcome
  }
  const probe = await attempt(() => sender.send(next, signal))
  if (probe.kind !== 'delivered') return outcome
  round.early.add(next.notice.number)
  round.told++
  return { kind: 'rejected', reason: `${attempts + 1} attempts failed: ${outcome.reason}` }
}

const record = (round: Round, notice: Notice, outcome: Outcome, { clock }: LaneDoors): void => {
  if (outcome.kind === 'delivered') {
    round.told++
    return
  }
  const { number, id, fingerprint } = notice
  round.parked.push({ number, id, fingerprint, at: clock().toISOString(), reason: outcome.reason })
}

/** Withheld notices are in the outbox for the record only. */
const describeAll = async (
  { store, links }: LaneDoors,
  notices: readonly Notice[]
): Promise<Map<number, Notification>> => {
  const told = notices.filter(({ withheld }) => withheld === null)
  const findings = await store.findings(told.map(({ sequence }) => sequence))
  return new Map(
    told.map((notice) => {
      const finding = findings.get(notice.sequence)
      if (finding === undefined) {
        throw new Failure('E_LAKE_CORRUPT', `Finding ${notice.sequence} of ${notice.id} is missing`)
      }
      return [notice.number, { notice, finding, links: links(finding) }]
    })
  )
}

const NOTHING_TOLD = { delivered: 0, parked: [], told: 0 }

/** The lake's word, or our own when what we told could not be written down. */
export const placeOf = (lane: Lane, state: ReadonlyMap<string, unknown>): number =>
  Math.max(readLane(state, lane.name)?.delivered ?? 0, lane.reached)

/**
 * Commits how far the channel is, then reports what was refused. When the commit fails, the lane
 * remembers both, so that nothing is told again for as long as it lives.
 */
export const keepPlace = async (
  lane: Lane,
  { store, observer }: LaneDoors,
  { delivered, parked, told }: Pick<Round, 'delivered' | 'parked' | 'told'>
): Promise<void> => {
  const { name } = lane
  lane.reached = Math.max(lane.reached, delivered)
  lane.unsaved.push(...parked)
  if (told > 0) observer.delivered(name, told)
  for (const { id, reason } of parked) {
    observer.parked(name, new Failure('E_ALERT_REJECTED', `${name} refused ${id}: ${reason}`))
  }
  await store.commit((state) => {
    const kept = readLane(state, name)
    if (kept === null || kept.delivered >= lane.reached) return null
    return { state: { [laneKey(name)]: advanceLane(kept, lane.reached, lane.unsaved) } }
  })
  lane.unsaved = []
}
