import { Failure, FAILURES } from '../../../schemas/failure.ts'
import { EVENTS_TOPIC } from '../../../schemas/topics.ts'
import { anchorBehind, seekAnchor, type Anchor } from '../../stream/anchor.ts'
import type { EventLog, PartitionState } from '../../stream/log.ts'
import type { PositionFiles } from './position-file.ts'
import { refusedRecord, relayRecords, type RelayCounts, type RelayTopic } from './relay-records.ts'

export type RelayDoors = {
  log: EventLog
  positions: PositionFiles
  now: () => Date
  /** Told after each append, with what was added by it. */
  onProgress: (counts: RelayCounts) => void
}

/** Some hundred records: an append of about the size of a request to the collector. */
const READ_BYTES_MAX = 1024 * 1024
/** How long a read waits at the end of a partition; a new record ends the wait at once. */
const WAIT_MS_MAX = 1000

/** Ends of a partition at which a bounded relay stops; null = it goes on. */
export type RelayEnd = number | null

/**
 * Takes one partition of a topic in, from where it was left, until the signal fires or the end is
 * reached. A position moves only once our log has everything before it; what a crash repeats has
 * the same ids and counts once.
 * @throws Failure retriable ones too: the caller decides whether to try again.
 */
export const relayPartition = async (
  topic: RelayTopic,
  partition: number,
  doors: RelayDoors,
  { end, signal }: { end: RelayEnd; signal: AbortSignal }
): Promise<void> => {
  let place = await startOf(topic.topic, partition, doors)
  while (!signal.aborted && (end === null || place.next < end)) {
    place = await step(topic, place, doors, signal)
  }
}

/** Where it reads, and under which leader what lies before was found in the log. */
type Place = {
  partition: number
  incarnation: string
  next: number
  anchor: Anchor | null
  leader: number | null
}

const stateOf = async (
  log: EventLog,
  topic: string,
  partition: number
): Promise<PartitionState> => {
  const state = (await log.partitions(topic)).find((one) => one.partition === partition)
  if (state !== undefined) return state
  throw new Failure('E_LOG_UNAVAILABLE', `${topic} has no partition ${partition}`, {
    retriable: true
  })
}

const startOf = async (topic: string, partition: number, doors: RelayDoors): Promise<Place> => {
  const state = await stateOf(doors.log, topic, partition)
  const { incarnation, start, end } = state
  const known = await doors.positions.read(topic, partition)
  if (known === null) return { partition, incarnation, next: start, anchor: null, leader: null }
  const isAnew = known.incarnation !== incarnation
  if (!isAnew && known.next <= end) {
    const { seen, leader } = await seekAnchor(doors.log, topic, state, known.anchor)
    if (seen !== 'other') return { ...known, leader }
  }
  // Reading would find most of it as well, but a bounded relay may have nothing left to read.
  const code = isAnew ? 'E_LOG_RECREATED' : 'E_LOG_TRUNCATED'
  return skipGap(topic, known, new Failure(code, FAILURES[code]), doors)
}

const step = async (
  topic: RelayTopic,
  place: Place,
  doors: RelayDoors,
  signal: AbortSignal
): Promise<Place> => {
  const { log, positions, now, onProgress } = doors
  const { partition, incarnation, next, leader } = place
  try {
    // Under another leader the same offsets may be other records: the caller begins anew.
    const limits = { bytesMax: READ_BYTES_MAX, waitMsMax: WAIT_MS_MAX, incarnation, leader, signal }
    const run = await log.read(topic.topic, partition, next, limits)
    const { records, counts } = await relayRecords(run, topic, now().getTime())
    if (records.length > 0) await log.append(EVENTS_TOPIC, records)
    const anchor = anchorBehind(run, place.anchor)
    const position = { topic: topic.topic, partition, incarnation, next: run.next, anchor }
    if (run.next > next) await positions.write(position)
    if (counts.records > 0 || counts.refused > 0) onProgress(counts)
    return { partition, incarnation, next: run.next, anchor, leader: run.leader }
  } catch (error) {
    if (!(error instanceof Failure) || !MOVED.has(error.code)) throw error
    return skipGap(topic.topic, place, error, doors)
  }
}

/** The log is not what it was: records are gone that were never seen. */
const MOVED = new Set<string>(['E_LOG_GAP', 'E_LOG_TRUNCATED', 'E_LOG_RECREATED'])

/** Goes on at the log's start, and leaves a row that says what is missing. */
const skipGap = async (
  topic: string,
  { partition, next }: Pick<Place, 'partition' | 'next'>,
  { code, message }: Failure,
  { log, positions, onProgress }: RelayDoors
): Promise<Place> => {
  const { incarnation, start } = await stateOf(log, topic, partition)
  const reason = `${message}; reading goes on from ${next} at ${start}`
  const refusal = { code, reason, bytes: new Uint8Array() }
  await log.append(EVENTS_TOPIC, [refusedRecord(`${topic}/${partition}`, refusal)])
  const place = { partition, incarnation, next: start, anchor: null }
  await positions.write({ topic, ...place })
  onProgress({ records: 0, events: 0, refused: 1, ignored: 0 })
  return { ...place, leader: null }
}
