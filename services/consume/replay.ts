import type { Range } from '../lake/commit.ts'
import type { EventLog } from '../stream/log.ts'
import type { LandingThread } from './landing-thread.ts'
import { cutRun } from './run.ts'

/** Bytes of one read. */
const READ_BYTES_MAX = 4 << 20
/** The records were there when they were landed: waiting for them is only for a slow log. */
const READ_WAIT_MS = 5_000

/**
 * Lands a log again with the cuts of an earlier landing: each entry of `flushes` holds the ranges
 * of one flush. Within one generation the files come out the same, byte for byte.
 */
export const replay = async (
  doors: { log: EventLog; landing: LandingThread },
  flushes: readonly (readonly Range[])[]
): Promise<void> => {
  for (const ranges of flushes) {
    for (const range of ranges) await addRange(doors, range)
    await doors.landing.flush()
  }
}

const addRange = async (
  { log, landing }: { log: EventLog; landing: LandingThread },
  { topic, partition, incarnation, first, next }: Range
): Promise<void> => {
  let offset = first
  while (offset < next) {
    const limits = { bytesMax: READ_BYTES_MAX, waitMsMax: READ_WAIT_MS }
    const run = await log.read(topic, partition, offset, limits)
    const piece = cutRun(run, offset, next)
    offset = piece.next
    await landing.add(piece, { topic, incarnation })
  }
}
