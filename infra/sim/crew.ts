import { availableParallelism } from 'node:os'
import type { Worker } from 'node:worker_threads'
import { startThread } from '../../services/consume/thread.ts'
import { WorkerCaller } from '../../services/consume/worker-call.ts'
import type { Outcome } from './simulate.ts'
import type { Bugs } from './world.ts'

/**
 * Memory of a thread for what was just made, in MiB: a world is some ten thousand small promises
 * and rows that die young, and with Node's 16 a sixth of the time goes into collecting them.
 */
const YOUNG_MIB = 64

/**
 * Threads that play worlds, one a core. Beside cores they save the runner's book-keeping: node:test
 * follows every promise of the thread that it runs in, which costs as much as the worlds themselves.
 */
export class Crew {
  readonly #threads: readonly Worker[]
  readonly #idle: WorkerCaller[]
  readonly #waiting: ((caller: WorkerCaller) => void)[] = []

  constructor(size = availableParallelism()) {
    this.#threads = Array.from({ length: size }, startPlayer)
    this.#idle = this.#threads.map((thread) => new WorkerCaller(thread))
  }

  get size(): number {
    return this.#threads.length
  }

  /**
   * Plays a world in the next thread that is free.
   * @throws Failure as `simulate` does, without its cause.
   */
  async simulate(seed: number, bugs: Bugs = {}): Promise<Outcome> {
    const caller = this.#idle.pop() ?? (await this.#nextIdle())
    try {
      return (await caller.call('simulate', [seed, bugs])) as Outcome
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#idle.push(caller)
      else next(caller)
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()))
  }

  #nextIdle(): Promise<WorkerCaller> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
}

const startPlayer = (): Worker =>
  startThread(new URL('simulate-worker', import.meta.url).href, null, {
    maxYoungGenerationSizeMb: YOUNG_MIB
  })
