import { encodeEvent } from '../../schemas/avro/encode-event.ts'
import { flattenEvent } from '../../schemas/avro/flatten-event.ts'
import { Failure } from '../../schemas/failure.ts'
import type { Files } from '../../services/lake/files.ts'
import { openLake, type Lake } from '../../services/lake/lake.ts'
import { localFiles } from '../../services/lake/local-files.ts'
import { createRandom, type Random } from '../worlds/random.ts'
import { SimDisk, writeScratch, type DiskBugs } from './disk.ts'
import { SimLog, type SimRecord } from './log.ts'
import type { EncoderBugs } from './memory-encoder.ts'
import type { DetectBugs } from './detector.ts'
import type { SettleBugs } from './settler.ts'
import { Scheduler, type Actor, type Turn } from './scheduler.ts'

/** Promises that some part breaks on purpose, to show that the simulation notices. */
export type Bugs = DiskBugs &
  EncoderBugs &
  SettleBugs &
  DetectBugs & {
    forgetsOffset?: boolean
    acknowledgesEarly?: boolean
    trustsNewLeaders?: boolean
    trustsOthersNames?: boolean
  }

export type Told = { partition: number; next: number; incarnation: string | undefined }

/** Everything that one seed decides, and what was promised to whom while it ran. */
export type World = {
  seed: number
  random: Random
  scheduler: Scheduler
  disk: SimDisk
  log: SimLog
  bugs: Bugs
  /** Whether the log may lose what it acknowledged: then gap rows must say so. */
  isLossy: boolean
  /** Tokens of each event by its id, written down before it is sent; an id may be used again. */
  ledger: Map<string, number[]>
  /** Ids whose sender was told that the log has them. */
  acknowledged: Set<string>
  /** Positions of which a consumer was told that they are landed. */
  told: Told[]
  /** Records that the log lost unnoticeably: nothing of their partition was landed before. */
  unnoticeable: Set<string>
  /** Faults that struck when something was landed already. */
  faultsAmid: number
  /** Faults are over and nothing more is sent: what is left is to catch up. */
  isAtRest: boolean
  nowMs: () => number
  newId: () => string
}

export const LAKE_FOLDER = '/lake'
const START_MS = Date.parse('2026-03-02T00:00:00Z')
/** Clocks of machines differ, and are set: each look at one may be this far off. */
const CLOCK_JUMP_MS = 30_000
/** A run lasts some hours of its own time, so that hours close and settle while it goes on. */
const STEP_MS = 6_000
/** When all is over, the clock goes on until every hour is closed. */
const REST_MS = 4 * 3_600_000

export const createWorld = (seed: number, bugs: Bugs = {}): World => {
  const random = createRandom(seed)
  const scheduler = new Scheduler(random)
  const nowMs = (): number => {
    const passedMs = scheduler.steps * STEP_MS + (world.isAtRest ? REST_MS : 0)
    return START_MS + passedMs + random.integer(-CLOCK_JUMP_MS, CLOCK_JUMP_MS)
  }
  let ids = 0
  const world: World = {
    seed,
    random,
    scheduler,
    disk: new SimDisk(nowMs, bugs),
    log: new SimLog(1 + random.integer(0, 3), random, nowMs),
    bugs,
    isLossy: random.uniform() < 0.4,
    ledger: new Map(),
    acknowledged: new Set(),
    told: [],
    unnoticeable: new Set(),
    faultsAmid: 0,
    isAtRest: false,
    nowMs,
    newId: () => `id-${(ids += 1)}`
  }
  return world
}

/** The lake as one process opens it. Its small Parquet files hold the text of their SELECT. */
export const openSimLake = async (world: World, turn: Turn): Promise<Lake> => {
  const disk = world.disk.door(turn)
  const { nowMs, newId } = world
  return openLake(LAKE_FOLDER, {
    create: true,
    writeParquet: (select, local) => writeScratch(disk, local, select),
    files: withBugs(localFiles(LAKE_FOLDER, { disk, newId }), world.bugs),
    disk,
    nowMs,
    newId
  })
}

/** A planted bug relies on names that another process linked, whether or not they are durable. */
const withBugs = (files: Files, { trustsOthersNames }: Bugs): Files =>
  trustsOthersNames === true ? { ...files, persist: async () => {} } : files

/** Steps of others between two batches: events go on coming while things break. */
const BATCH_PAUSE_STEPS_MAX = 400

/** A sender: batches to one partition each, repeated until the log says that it has them. */
export const produce = async (
  world: World,
  name: string,
  turn: Turn,
  actor: Actor
): Promise<void> => {
  const { random, log } = world
  const batches = 3 + random.integer(0, 6)
  for (let batch = 0; batch < batches; batch++) {
    actor.stoppedUntil = world.scheduler.steps + random.integer(1, BATCH_PAUSE_STEPS_MAX)
    await turn('wait with a batch')
    const records = recordsOf(world, `${name}-${batch}`)
    const partition = random.integer(0, log.states().length)
    do await turn(`append to partition ${partition}`)
    while (!isTaken(world, partition, records))
    for (const { id } of records) world.acknowledged.add(id)
  }
}

/** A batch that is taken before anyone else moves. */
export const sendAtOnce = (world: World, partition: number, name: string): void => {
  const records = recordsOf(world, name)
  while (!isTaken(world, partition, records));
  for (const { id } of records) world.acknowledged.add(id)
}

const isTaken = ({ log, bugs }: World, partition: number, records: SimRecord[]): boolean => {
  try {
    log.append(partition, records)
    return true
  } catch (error) {
    if (!(error instanceof Failure) || !error.retriable) throw error
    return bugs.acknowledgesEarly === true
  }
}

/** How late events are sent: most at once, some an hour, few after their hour was settled. */
const LATE_MS = [60_000, 60_000, 60_000, 3_600_000, 5 * 3_600_000]
const TOKENS_MAX = 100

const recordsOf = (world: World, name: string): SimRecord[] => {
  const { random, ledger } = world
  return Array.from({ length: 1 + random.integer(0, 3) }, (_, n) => {
    // Now and then a sender uses an id again, for other content at another time.
    const known = [...ledger.keys()]
    const isAgain = known.length > 0 && random.uniform() < 0.05
    const id = isAgain ? known[random.integer(0, known.length)]! : `${name}-${n}`
    const lateMs = random.integer(0, LATE_MS[random.integer(0, LATE_MS.length)]!)
    const time = new Date(world.nowMs() - lateMs).toISOString()
    const tokens = 1 + random.integer(0, TOKENS_MAX)
    ledger.set(id, [...(ledger.get(id) ?? []), tokens])
    const event = {
      id,
      time,
      tenant: 'acme',
      kind: 'llm',
      tokens: { in_uncached: tokens }
    } as const
    return { key: id, value: new Uint8Array(encodeEvent(flattenEvent(event))), id }
  })
}
