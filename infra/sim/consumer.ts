import { Failure } from '../../schemas/failure.ts'
import { nativeFormat } from '../../services/consume/decode/messages.ts'
import { landingOn } from '../../services/consume/landing-site.ts'
import { Pending } from '../../services/consume/pending.ts'
import { mayPass } from '../../services/consume/readers.ts'
import { resumePartition } from '../../services/consume/resume-partition.ts'
import { cutRun } from '../../services/consume/run.ts'
import type { Range } from '../../services/lake/commit.ts'
import { LogCursor } from '../../services/consume/log-cursor.ts'
import type { LandingThread } from '../../services/consume/landing-thread.ts'
import type { EventLog, PartitionState } from '../../services/stream/log.ts'
import { memoryEncoder } from './memory-encoder.ts'
import type { Turn } from './scheduler.ts'
import { openSimLake, type World } from './world.ts'

type Place = { cursor: LogCursor; incarnation: string }
type Landing = Pick<LandingThread, 'positions' | 'adopt' | 'add' | 'drop' | 'flush'>
type Doors = { log: Pick<EventLog, 'partitions' | 'read'>; landing: Landing; world: World }

/**
 * A consumer process: the product's resuming, decoding, flushing and committing, driven by an
 * assignment that the seed draws. Assignments of two consumers overlap, so each is at times the
 * zombie of the other. It goes on until the world is at rest and everything is landed.
 */
export const consume = async (world: World, turn: Turn): Promise<void> => {
  const disk = world.disk.door(turn)
  const lake = await openSimLake(world, turn)
  const encoder = memoryEncoder(lake, disk, world.bugs)
  const pending = new Pending(nativeFormat())
  const landing = remote(world, landingOn({ lake, generation: 'sim', encoder }, pending))
  const doors = { log: world.log.door(turn), landing, world }
  const places = new Map<number, Place>()
  let isLast = false
  while (!isLast || !(await isDone(doors, places))) {
    await turn('begin a round')
    isLast = world.isAtRest
    for (const state of await doors.log.partitions(world.log.topic)) {
      if (world.isAtRest || world.random.uniform() < 0.7) await advance(doors, places, state)
    }
    if (world.isAtRest || world.random.uniform() < 0.6) await flush(doors, places)
  }
}

/** The landing as a consumer sees it, in a thread of its own; a planted bug forgets an offset. */
const remote = (world: World, landing: ReturnType<typeof landingOn>): Landing => ({
  positions: async (topic) => {
    const positions = await landing.positions(topic)
    if (world.bugs.forgetsOffset !== true) return positions
    return new Map([...positions].map(([key, range]) => [key, { ...range, next: range.next + 1 }]))
  },
  adopt: landing.adopt,
  add: async (run, source) => landing.add(run, source),
  drop: async (partition) => landing.drop(partition),
  flush: landing.flush
})

const isDone = async (
  { log, landing, world }: Doors,
  places: ReadonlyMap<number, Place>
): Promise<boolean> => {
  const states = await log.partitions(world.log.topic)
  const isTaken = states.every(({ partition }) => places.has(partition))
  return isTaken && isLanded(await landing.positions(world.log.topic), states)
}

/** Whether everything that the log holds is in the lake. */
export const isLanded = (
  positions: ReadonlyMap<number, Pick<Range, 'incarnation' | 'next'>>,
  states: readonly PartitionState[]
): boolean =>
  states.every(({ partition, incarnation, start, end }) => {
    const at = positions.get(partition)
    if (at === undefined) return end === start
    return at.incarnation === incarnation && at.next >= end
  })

/** Reads one run of a partition, after finding out where to go on. */
const advance = async (
  { log, landing, world }: Doors,
  places: Map<number, Place>,
  state: PartitionState
): Promise<void> => {
  const { partition } = state
  const { topic } = world.log
  try {
    let place = places.get(partition)
    if (place === undefined) {
      await landing.drop(partition)
      const start = await resumePartition({ log: log as EventLog, landing, topic }, state)
      const cursor = new LogCursor(readerOf(world, log), start)
      place = { cursor, incarnation: state.incarnation }
      places.set(partition, place)
    }
    const { cursor, incarnation } = place
    const { next } = cursor
    const run = await cursor.read({ bytesMax: 1, waitMsMax: 0 })
    if (run.next === next) return
    await landing.add(cutRun(run, next, run.next), { topic, incarnation })
  } catch (error) {
    if (!mayPass(error)) throw error
    // What was read is landed first: the log may not hold it any more.
    await flush({ log, landing, world }, places)
    places.delete(partition)
  }
}

/** A planted bug reads on under whichever leader there is. */
const readerOf = ({ bugs }: World, log: Doors['log']): Doors['log'] =>
  bugs.trustsNewLeaders === true
    ? {
        ...log,
        read: (topic, partition, offset, limits) =>
          log.read(topic, partition, offset, { ...limits, leader: null })
      }
    : log

const flush = async ({ landing, world }: Doors, places: Map<number, Place>): Promise<void> => {
  try {
    for (const { partition, next, ours } of await landing.flush()) {
      if (ours)
        world.told.push({ partition, next, incarnation: places.get(partition)?.incarnation })
      else places.delete(partition)
    }
  } catch (error) {
    if (!(error instanceof Failure) || !error.retriable) throw error
  }
}
