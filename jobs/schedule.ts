import { createTask, validate } from 'node-cron'
import { Failure } from '../schemas/failure.ts'

/**
 * Jobs run by the clock, and the clock only pokes: what there is to do is decided by what the lake
 * holds, so a double, late or missed poke changes nothing but the delay. Times are UTC, because
 * local time has hours that happen twice or never. Only this file knows the scheduler.
 */

export type Job = {
  name: string
  /** Five or six fields of cron, in UTC. */
  cron: string
  /** Does what there is to do; stops early when the signal fires. */
  run: (signal: AbortSignal) => Promise<unknown>
}

export type Scheduled = {
  /** Pokes a job by hand, as the clock would. @throws Failure E_USAGE for an unknown name. */
  poke: (name: string) => void
  /** No more pokes; resolves when running jobs have ended. */
  stop: () => Promise<void>
}

/** `failed` gets what a job throws; the process decides whether to end over it. */
export const scheduleJobs = (
  jobs: readonly Job[],
  failed: (job: string, error: unknown) => void
): Scheduled => {
  for (const { name, cron } of jobs) {
    if (!validate(cron)) throw new Failure('E_USAGE', `Job ${name} has no valid times: ${cron}`)
  }
  const stopped = new AbortController()
  const runners = new Map(
    jobs.map(({ name, run }) => [
      name,
      coalesce(
        () => run(stopped.signal),
        (error) => failed(name, error)
      )
    ])
  )
  const clocks = jobs.map(({ name, cron }) => pokeAt(cron, () => runners.get(name)?.poke()))
  return {
    poke: (name) => {
      const runner = runners.get(name)
      if (runner === undefined) throw new Failure('E_USAGE', `There is no job ${name}`)
      if (!stopped.signal.aborted) runner.poke()
    },
    stop: async () => {
      stopped.abort()
      for (const stopClock of clocks) stopClock()
      await Promise.all([...runners.values()].map(({ idle }) => idle()))
    }
  }
}

/** How often the clock is looked at: one that was set back must not keep jobs from running. */
const LOOK_MS = 60_000

/**
 * Pokes at the times of a pattern. The library's own timer cuts milliseconds off in local time: in the
 * hour that a change of summer time repeats it would run nothing, and look without a pause.
 * @returns what ends it.
 */
const pokeAt = (cron: string, poke: () => void): (() => void) => {
  const times = createTask(cron, () => undefined, { timezone: 'UTC' })
  const nextMs = (): number => times.getNextRuns(1)[0]?.getTime() ?? Infinity
  let timer: NodeJS.Timeout
  const wait = (dueMs: number): void => {
    const delayMs = Math.min(Math.max(dueMs - Date.now(), 0), LOOK_MS)
    timer = setTimeout(() => {
      const isDue = Date.now() >= dueMs
      wait(isDue ? nextMs() : Math.min(dueMs, nextMs()))
      if (isDue) poke()
    }, delayMs)
  }
  wait(nextMs())
  return () => {
    clearTimeout(timer)
    void times.destroy()
  }
}

export type Runner = {
  poke: () => void
  /** Resolves when nothing runs and no poke waits. */
  idle: () => Promise<void>
}

/**
 * Pokes while a run is under way make one more run after it, however many they are: the run may
 * have looked before the poke's reason came about.
 */
export const coalesce = (run: () => Promise<unknown>, failed: (error: unknown) => void): Runner => {
  let running: Promise<void> | null = null
  let again = false
  const runAll = async (): Promise<void> => {
    do {
      again = false
      try {
        await run()
      } catch (error) {
        failed(error)
      }
    } while (again)
    running = null
  }
  return {
    poke: () => {
      if (running === null) running = runAll()
      else again = true
    },
    idle: async () => {
      while (running !== null) await running
    }
  }
}
