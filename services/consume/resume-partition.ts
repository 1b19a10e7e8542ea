import { Failure } from '../../schemas/failure.ts'
import type { Range } from '../lake/commit.ts'
import type { EventLog, PartitionState } from '../stream/log.ts'
import { resume, type AnchorSeen } from './gap.ts'
import type { LandingThread } from './landing-thread.ts'

type Doors = { log: EventLog; landing: Pick<LandingThread, 'positions' | 'adopt'>; topic: string }

/** One record is enough to recognise a log; batches come whole, so the bound is a small one. */
const ANCHOR_BYTES_MAX = 1
/** Each conflict means that another consumer moved the partition; more in a row is no accident. */
const CONFLICTS_MAX = 5

/**
 * Finds where to read a partition: at the lake's offset, after making sure that the log still
 * holds the record before it. Never at the group's offset, and never at the end. When another
 * consumer moves the partition meanwhile, it looks again.
 */
export const resumePartition = async (doors: Doors, state: PartitionState): Promise<number> => {
  for (let conflicts = 1; ; conflicts++) {
    try {
      return await resumeOnce(doors, state)
    } catch (error) {
      const isConflict = error instanceof Failure && error.code === 'E_LAKE_CONFLICT'
      if (!isConflict || conflicts >= CONFLICTS_MAX) throw error
    }
  }
}

const resumeOnce = async (doors: Doors, state: PartitionState): Promise<number> => {
  const { topic, landing } = doors
  const stored = (await landing.positions(topic)).get(state.partition)
  const { next, gap, adopt } = resume(stored, state, await seekAnchor(doors, state, stored))
  if (!adopt) return next
  await landing.adopt({ range: adopted({ topic, state, next }, stored), gap, seen: stored })
  return next
}

type Place = { topic: string; state: PartitionState; next: number }

/** An empty range at the new place; what is known of the same log stays known. */
const adopted = ({ topic, state, next }: Place, stored: Range | undefined): Range => {
  const { partition, incarnation } = state
  const same = stored?.incarnation === incarnation ? stored : null
  return {
    topic,
    partition,
    incarnation,
    first: next,
    next,
    anchor: null,
    appendedUntilMs: same?.appendedUntilMs ?? null,
    watermarkMs: same?.watermarkMs ?? null
  }
}

const seekAnchor = async (
  { log, topic }: Doors,
  state: PartitionState,
  stored: Range | undefined
): Promise<AnchorSeen> => {
  const anchor = stored?.anchor
  if (anchor == null || stored?.incarnation !== state.incarnation) return 'absent'
  if (anchor.offset < state.start || anchor.offset >= state.end) return 'absent'
  const run = await log.read(topic, state.partition, anchor.offset, {
    bytesMax: ANCHOR_BYTES_MAX,
    waitMsMax: 0,
    incarnation: state.incarnation
  })
  if (run.count === 0) return 'absent'
  return run.offsets[0] === anchor.offset && run.checksum(0) === anchor.crc32c ? 'same' : 'other'
}
