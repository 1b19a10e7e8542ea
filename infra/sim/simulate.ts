import { Failure } from '../../schemas/failure.ts'
import { check } from './check.ts'
import { Processes, wreak, type Work } from './chaos.ts'
import { consume } from './consumer.ts'
import { runDetector } from './detector.ts'
import { runSettler } from './settler.ts'
import { createWorld, openSimLake, produce, type Bugs, type World } from './world.ts'

/** More steps than any healthy run takes: what is not done by then never ends. */
const STEPS_MAX = 30_000

export type Outcome = {
  seed: number
  steps: number
  /** Commits by their kind. */
  commits: Readonly<Record<string, number>>
  acknowledged: number
  /** Faults that struck when something was landed already. */
  faultsAmid: number
}

/**
 * One seed: senders, consumers and mischief in one process, without any real time, disk or network.
 * @throws the first promise that was broken, with the seed and the last steps.
 */
export const simulate = async (seed: number, bugs: Bugs = {}): Promise<Outcome> => {
  const world = createWorld(seed, bugs)
  try {
    return await run(world)
  } catch (error) {
    throw new Failure('E_INTERNAL', `seed ${seed}: ${(error as Error).message}`, {
      hint: world.scheduler.trace.join('\n'),
      cause: error
    })
  }
}

/** In most worlds the lake is there before trouble begins; in the others it is made amid it. */
const FOUNDED_SHARE = 0.8

const run = async (world: World): Promise<Outcome> => {
  const { scheduler, random } = world
  if (random.uniform() < FOUNDED_SHARE) await found(world)
  const works = (work: Work, count: number): Work[] => Array.from({ length: count }, () => work)
  const processes = new Processes(world, [
    ...works({ name: 'consumer', run: consume }, 1 + random.integer(0, 3)),
    // One of each, but for where a lease was lost.
    ...works({ name: 'settler', run: runSettler }, random.uniform() < 0.3 ? 2 : 1),
    ...works({ name: 'detector', run: runDetector }, random.uniform() < 0.3 ? 2 : 1)
  ])
  const others = [scheduler.spawn('chaos', (turn) => wreak(world, processes, turn))]
  for (let n = 0; n < 1 + random.integer(0, 2); n++) {
    others.push(scheduler.spawn(`sender-${n}`, (...does) => produce(world, `event-${n}`, ...does)))
  }
  const isOver = (): boolean => scheduler.steps > STEPS_MAX || processes.fault() !== null
  await scheduler.run(() => isOver() || others.every(({ isDone }) => isDone))
  for (const { error } of others) if (error !== null) throw error as Error
  world.isAtRest = true
  // Others may wait for one that ended by itself, so it is started again while they run.
  const isOverOrAgain = (): boolean => {
    processes.supervise()
    return isOver()
  }
  do await scheduler.run(isOverOrAgain)
  while (!isOver() && processes.supervise())
  await checkEnd(world, processes)
  await runLastJobs(world)
  return judge(world)
}

const found = async (world: World): Promise<void> => {
  const founder = world.scheduler.spawn('founder', async (turn) => {
    await openSimLake(world, turn)
  })
  await world.scheduler.run()
  if (founder.error !== null) throw founder.error as Error
}

/** The jobs may have ended before the last consumer had landed its rows: the clock pokes once more. */
const runLastJobs = async (world: World): Promise<void> => {
  const { scheduler } = world
  const jobs = [
    scheduler.spawn('last-settler', (turn, actor) => runSettler(world, turn, actor)),
    scheduler.spawn('last-detector', (turn, actor) => runDetector(world, turn, actor))
  ]
  await scheduler.run(() => scheduler.steps > 2 * STEPS_MAX)
  for (const { error, isDone } of jobs) {
    if (error !== null) throw error as Error
    if (!isDone) throw new Error('the last jobs never ended')
  }
}

/** A promise that is broken says more than that the world never ended. */
const checkEnd = async (world: World, processes: Processes): Promise<void> => {
  const fault = processes.fault()
  if (fault !== null) throw fault
  if (world.scheduler.steps <= STEPS_MAX) return
  processes.end()
  await judge(world)
  throw new Error(`not done after ${STEPS_MAX} steps`)
}

const judge = async (world: World): Promise<Outcome> => {
  const { scheduler, seed, acknowledged, faultsAmid } = world
  const commits: Record<string, number> = {}
  const judgement = scheduler.spawn('judge', async (turn) => {
    const lake = await openSimLake(world, turn)
    for (const { commit } of await check(world, lake)) {
      commits[commit.kind] = (commits[commit.kind] ?? 0) + 1
    }
  })
  await scheduler.run()
  if (judgement.error !== null) throw judgement.error as Error
  if (!judgement.isDone) throw new Error('the judgement never ended')
  return { seed, steps: scheduler.steps, commits, acknowledged: acknowledged.size, faultsAmid }
}
