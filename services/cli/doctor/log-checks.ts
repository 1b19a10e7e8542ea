import { Failure } from '../../../schemas/failure.ts'
import { EVENTS_TOPIC } from '../../../schemas/topics.ts'
import type { Adoption } from '../../consume/landing-site.ts'
import { resumePartition } from '../../consume/resume-partition.ts'
import type { Head, Range } from '../../lake/commit.ts'
import { leaseHolders } from '../../lake/lease.ts'
import type { EventLog, PartitionState } from '../../stream/log.ts'
import { CONSUME_LEASE } from '../up/held-lease.ts'
import type { Check } from './check.ts'
import { MS_PER_S, SKEW_MS_MAX } from './lake-checks.ts'
import type { Patient } from './patient.ts'

const log: Check<Patient> = {
  name: 'log',
  fix: 'Check that the broker runs and that --brokers names it; tally up creates the topic.',
  look: async (patient) => {
    const states = await patient.log().partitions(EVENTS_TOPIC)
    const records = states.reduce((sum, { start, end }) => sum + end - start, 0)
    return `${EVENTS_TOPIC} has ${states.length} partitions, ${records} records`
  }
}

const logClock: Check<Patient> = {
  name: 'clock of the log',
  needs: ['log'],
  fix: 'Set the clocks of this machine and of the brokers by NTP.',
  look: async (patient) => {
    const newestMs = await newestAppend(patient.log())
    if (newestMs === null) return 'no record to compare with'
    const aheadMs = newestMs - patient.nowMs
    if (aheadMs <= SKEW_MS_MAX) return `last append at ${new Date(newestMs).toISOString()}`
    const ahead = Math.round(aheadMs / MS_PER_S)
    throw new Failure('E_USAGE', `the last append lies ${ahead} s in the future`)
  }
}

const newestAppend = async (events: EventLog): Promise<number | null> => {
  let newestMs: number | null = null
  for (const { partition, start, end } of await events.partitions(EVENTS_TOPIC)) {
    if (end === start) continue
    const limits = { bytesMax: 1, waitMsMax: 0 }
    const run = await events.read(EVENTS_TOPIC, partition, end - 1, limits)
    for (const timeMs of run.timesMs.subarray(0, run.count)) {
      newestMs = Math.max(newestMs ?? timeMs, timeMs)
    }
  }
  return newestMs
}

const continuity: Check<Patient> = {
  name: 'continuity',
  needs: ['lake', 'log'],
  fix: 'tally up goes on by itself and leaves a row in gaps, which blocks the close of that month.',
  look: async (patient) => {
    const { lake } = await patient.site()
    const positions = positionsOf(await lake.head())
    const events = patient.log()
    const states = await events.partitions(EVENTS_TOPIC)
    const moves: string[] = []
    for (const state of states) moves.push(...(await movesOf(events, positions, state)))
    if (moves.length > 0) throw new Failure('E_LOG_GAP', moves.join('; '))
    return 'the log holds the records that were landed last, and all that follow'
  }
}

/** What a consumer would have to step over, without doing it. */
const movesOf = async (
  events: EventLog,
  positions: Map<number, Range>,
  state: PartitionState
): Promise<string[]> => {
  const moves: string[] = []
  const adopt = async ({ gap }: Adoption): Promise<void> => {
    moves.push(`partition ${state.partition}: ${gap?.reason}: ${gap?.detail}`)
  }
  const landing = { positions: async () => positions, adopt }
  await resumePartition({ log: events, landing, topic: EVENTS_TOPIC }, state)
  return moves
}

const positionsOf = ({ positions }: Head): Map<number, Range> =>
  new Map(
    [...positions.values()]
      .filter(({ topic }) => topic === EVENTS_TOPIC)
      .map((range) => [range.partition, range])
  )

const landing: Check<Patient> = {
  name: 'landing',
  needs: ['lake', 'log'],
  fix: 'Start tally up, or tally ingest, on this folder.',
  look: async (patient) => {
    const { lake } = await patient.site()
    const positions = positionsOf(await lake.head())
    const states = await patient.log().partitions(EVENTS_TOPIC)
    const waiting = states.reduce((sum, { partition, start, end }) => {
      return sum + Math.max(0, end - (positions.get(partition)?.next ?? start))
    }, 0)
    if (waiting === 0) return `everything in the log is landed${heldBackIn(states)}`
    const held = await leaseHolders(lake.doors.files, patient.nowMs)
    const isLanding = held.some(({ name }) => name === CONSUME_LEASE)
    if (isLanding) return `${waiting} records wait for the running consumer${heldBackIn(states)}`
    throw new Failure('E_USAGE', `${waiting} records wait and nobody lands them`)
  }
}

/** Told, and no fault yet: the transaction may be one that was just begun. */
const heldBackIn = (states: readonly PartitionState[]): string => {
  const held = states.filter(({ heldBack = 0 }) => heldBack > 0)
  if (held.length === 0) return ''
  const offsets = held.reduce((sum, { heldBack = 0 }) => sum + heldBack, 0)
  const where = held.map(({ partition }) => partition).join(', ')
  return `, but ${offsets} behind an open transaction of another producer (partition ${where})`
}

export const logChecks = [log, logClock, continuity, landing]
