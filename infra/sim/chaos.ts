import { Failure } from '../../schemas/failure.ts'
import { logFolder } from '../../services/lake/delta-log.ts'
import { RANGES } from '../../services/lake/ranges-log.ts'
import type { LostRecord } from './log.ts'
import type { Actor, Turn } from './scheduler.ts'
import { LAKE_FOLDER, sendAtOnce, type World } from './world.ts'

/** What a process does, from its start to its end. */
export type Work = { name: string; run: (world: World, turn: Turn, actor: Actor) => Promise<void> }

type Running = { actor: Actor; work: Work }

/** The processes of a world, started again whenever they end. */
export class Processes {
  readonly #world: World
  readonly #running: Running[] = []
  readonly #ended: Actor[] = []
  #started = 0

  constructor(world: World, works: readonly Work[]) {
    this.#world = world
    for (const work of works) this.#start(work)
  }

  /** What ended a process and should not have; want of space or a lost race may: others go on. */
  fault(): Error | null {
    for (const { error } of [...this.#running.map(({ actor }) => actor), ...this.#ended]) {
      if (error !== null && !(error instanceof Failure && error.retriable)) return error as Error
    }
    return null
  }

  /** Ends all of them where they stand. */
  end(): void {
    for (const { actor } of this.#running) this.#world.scheduler.kill(actor)
  }

  /** Starts again what ended by itself, as a supervisor would. @returns whether anything did. */
  supervise(): boolean {
    const ended = this.#running.filter(({ actor }) => actor.isDone && actor.error !== null)
    for (const one of ended) this.#replace(one)
    return ended.length > 0
  }

  killOne(): void {
    const { random } = this.#world
    this.#replace(this.#running[random.integer(0, this.#running.length)]!)
  }

  cutPower(): void {
    const { disk, random } = this.#world
    const all = [...this.#running]
    for (const { actor } of all) this.#world.scheduler.kill(actor)
    disk.cutPower(random)
    for (const one of all) this.#replace(one)
  }

  stopOne(): void {
    const { random, scheduler } = this.#world
    const { actor } = this.#running[random.integer(0, this.#running.length)]!
    actor.stoppedUntil = scheduler.steps + random.integer(20, 400)
  }

  #replace(one: Running): void {
    if (!one.actor.isKilled) this.#world.scheduler.kill(one.actor)
    this.#running.splice(this.#running.indexOf(one), 1)
    this.#ended.push(one.actor)
    this.#start(one.work)
  }

  #start(work: Work): void {
    const name = `${work.name}-${(this.#started += 1)}`
    const actor = this.#world.scheduler.spawn(name, (turn, actor) =>
      work.run(this.#world, turn, actor)
    )
    this.#running.push({ actor, work })
  }
}

/** Where versions are decided: names that others build on before their writer has synced them. */
const COMMITS = `${LAKE_FOLDER}/${logFolder(RANGES)}`
/** Steps between two faults: enough to land, settle and find something before some of them. */
const FAULT_PAUSE_STEPS_MAX = 600

/** Breaks things at steps that the seed draws, then lets the world rest. */
export const wreak = async (world: World, processes: Processes, turn: Turn): Promise<void> => {
  const { random, log, disk, scheduler } = world
  log.unreliable = random.uniform() * 0.5
  const faults = 2 + random.integer(0, 7)
  for (let fault = 0; fault < faults; fault++) {
    const until = scheduler.steps + random.integer(1, FAULT_PAUSE_STEPS_MAX)
    while (scheduler.steps < until) await turn('wait for mischief')
    if (world.told.length > 0) world.faultsAmid += 1
    strike(world, processes)
    processes.supervise()
  }
  disk.isFull = false
  disk.hung = null
  log.unreliable = 0
}

const strike = (world: World, processes: Processes): void => {
  const { random, log, disk, isLossy } = world
  const partition = random.integer(0, log.states().length)
  const acts = [
    () => processes.killOne(),
    () => processes.killOne(),
    () => processes.cutPower(),
    () => processes.stopOne(),
    () => void (disk.isFull = !disk.isFull),
    () => void (disk.hung = disk.hung === null ? COMMITS : null),
    ...(isLossy
      ? [
          () => log.trim(partition, 1 + random.integer(0, 4)),
          () => log.truncate(partition, 1 + random.integer(0, 4)),
          () => truncateAndRefill(world, partition),
          () => log.recreate()
        ]
      : [])
  ]
  const before = log.lost.length
  acts[random.integer(0, acts.length)]!()
  noteUnnoticeable(world, log.lost.slice(before))
}

/** The new leader takes records for the offsets that went before anyone looks. */
const truncateAndRefill = (world: World, partition: number): void => {
  const { random, log, scheduler } = world
  log.truncate(partition, 1 + random.integer(0, 4))
  const batches = 1 + random.integer(0, 3)
  for (let batch = 0; batch < batches; batch++) {
    sendAtOnce(world, partition, `refill-${scheduler.steps}-${batch}`)
  }
}

/**
 * A lake that never saw a partition can not miss what went before, and a tail that was cut off
 * unread leaves no trace: the broker broke its word, and nobody else knew the records.
 */
const noteUnnoticeable = (world: World, lost: readonly LostRecord[]): void => {
  for (const { id, partition, how } of lost) {
    const isSeen = world.told.some((told) => told.partition === partition)
    if (!isSeen || how === 'truncated') world.unnoticeable.add(id)
  }
}
