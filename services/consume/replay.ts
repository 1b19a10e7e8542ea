import { Failure } from '../../schemas/failure.ts'
import type { Range } from '../lake/commit.ts'
import type { EventLog } from '../stream/log.ts'
import type { Adoption } from './landing-site.ts'
import type { LandingThread } from './landing-thread.ts'
import { cutRun } from './run.ts'

/** Bytes of one read. */
const READ_BYTES_MAX = 4 << 20
/** The records were there when they were landed: waiting for them is only for a slow log. */
const READ_WAIT_MS = 5_000

/** What moved the positions of a lake: a flush with its ranges, or a gap that was stepped over. */
export type ReplayStep =
  | { kind: 'flush'; ranges: readonly Range[] }
  | { kind: 'adopt'; move: Adoption }

type Doors = { log: EventLog; landing: LandingThread }

/**
 * Lands a log again with the cuts of an earlier landing. Within one generation the files come out
 * the same, byte for byte.
 * @throws Failure E_LOG_GAP, E_LOG_TRUNCATED or E_LOG_RECREATED when the log no longer holds what
 *   was landed.
 */
export const replay = async (doors: Doors, steps: Iterable<ReplayStep>): Promise<void> => {
  for (const step of steps) {
    if (step.kind === 'adopt') {
      await doors.landing.adopt(step.move)
      continue
    }
    for (const range of step.ranges) await addRange(doors, range)
    await doors.landing.flush()
  }
}

const addRange = async (
  { log, landing }: Doors,
  { topic, partition, incarnation, first, next }: Range
): Promise<void> => {
  let offset = first
  while (offset < next) {
    const limits = { bytesMax: READ_BYTES_MAX, waitMsMax: READ_WAIT_MS, incarnation }
    const piece = cutRun(await log.read(topic, partition, offset, limits), offset, next)
    if (piece.next === offset) throw endsEarly(`${topic}/${partition}`, offset, next)
    offset = piece.next
    await landing.add(piece, { topic, incarnation })
  }
}

const endsEarly = (partition: string, offset: number, next: number): Failure =>
  new Failure('E_LOG_TRUNCATED', `${partition} ends at ${offset}, and ${next} was landed`, {
    hint: 'The log lost records that the lake holds: keep the lake as it is.'
  })
