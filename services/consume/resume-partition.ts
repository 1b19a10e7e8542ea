import { Failure } from '../../schemas/failure.ts'
import type { Range } from '../lake/commit.ts'
import { seekAnchor } from '../stream/anchor.ts'
import type { EventLog, PartitionState } from '../stream/log.ts'
import { resume } from './gap.ts'
import type { LandingThread } from './landing-thread.ts'
import type { Place } from './log-cursor.ts'

type Doors = { log: EventLog; landing: Pick<LandingThread, 'positions' | 'adopt'>; topic: string }

/** Each conflict means that another consumer moved the partition; more in a row is no accident. */
const CONFLICTS_MAX = 5

/**
 * Finds where to read a partition: at the lake's offset, after making sure that the log still
 * holds the record before it. Never at the group's offset, and never at the end. When another
 * consumer moves the partition meanwhile, it looks again.
 * @returns the place, and the leader that has the record before it.
 */
export const resumePartition = async (doors: Doors, state: PartitionState): Promise<Place> => {
  for (let conflicts = 1; ; conflicts++) {
    try {
      return await resumeOnce(doors, state)
    } catch (error) {
      const isConflict = error instanceof Failure && error.code === 'E_LAKE_CONFLICT'
      if (!isConflict || conflicts >= CONFLICTS_MAX) throw error
    }
  }
}

const resumeOnce = async (doors: Doors, before: PartitionState): Promise<Place> => {
  const { topic, landing } = doors
  const { partition } = before
  const stored = (await landing.positions(topic)).get(partition)
  const state = await latestState(doors, before, stored)
  const { incarnation } = state
  const anchor = stored?.incarnation === incarnation ? stored.anchor : null
  const { seen, leader } = await seekAnchor(doors.log, topic, state, anchor)
  const { next, gap, adopt } = resume(stored, state, seen)
  if (adopt) {
    await landing.adopt({ range: adopted({ topic, state, next }, stored), gap, seen: stored })
  }
  return { partition, next, leader: adopt ? null : leader, source: { topic, incarnation } }
}

/**
 * The log as it was after the lake: where another consumer has landed more meanwhile, an earlier
 * look at the log would seem truncated, and all of it would be read again.
 */
const latestState = async (
  { log, topic }: Doors,
  before: PartitionState,
  stored: Range | undefined
): Promise<PartitionState> => {
  const fits =
    stored === undefined || (stored.incarnation === before.incarnation && stored.next <= before.end)
  if (fits) return before
  const states = await log.partitions(topic)
  return states.find(({ partition }) => partition === before.partition) ?? before
}

type Adoption = { topic: string; state: PartitionState; next: number }

/** An empty range at the new place; what is known of the same log stays known. */
const adopted = ({ topic, state, next }: Adoption, stored: Range | undefined): Range => {
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
