import { setImmediate } from 'node:timers/promises'
import type { Random } from '../worlds/random.ts'

/** One simulated process or client. Once killed it never moves again, as after `kill -9`. */
export type Actor = {
  readonly name: string
  isKilled: boolean
  isDone: boolean
  /** What ended it, unless it was killed. */
  error: unknown
  /** It gets no turn before this step, as between SIGSTOP and SIGCONT. */
  stoppedUntil: number
}

/**
 * Waits until the scheduler lets the actor take its next step towards the outside world. While
 * that may not be, others go on.
 */
export type Turn = (what: string, may?: () => boolean) => Promise<void>

type Waiter = { actor: Actor; what: string; may: () => boolean; go: () => void }

/**
 * Runs actors one step at a time. Everything that leaves a process (disk, log) waits for a turn, so
 * a seed decides every interleaving and the same seed gives the same run.
 */
export class Scheduler {
  readonly #random: Random
  #waiting: Waiter[] = []
  /** Turns given so far: the simulation's own time. */
  steps = 0
  /** The last turns, newest last: what a failing seed prints. */
  readonly trace: string[] = []

  constructor(random: Random) {
    this.#random = random
  }

  spawn(name: string, work: (turn: Turn, actor: Actor) => Promise<void>): Actor {
    const actor: Actor = { name, isKilled: false, isDone: false, error: null, stoppedUntil: 0 }
    const turn: Turn = (what, may = always) => this.#wait(actor, what, may)
    turn('start')
      .then(() => work(turn, actor))
      .catch((error: unknown) => {
        if (!actor.isKilled) actor.error = error
      })
      .finally(() => {
        actor.isDone = true
      })
    return actor
  }

  /** Ends an actor where it stands. What it waits for never happens. */
  kill(actor: Actor): void {
    actor.isKilled = true
    this.#waiting = this.#waiting.filter((waiter) => waiter.actor !== actor)
    this.#note(`${actor.name} is killed`)
  }

  /** Gives turns until no actor waits for one, or `until` says so after a turn. */
  async run(until: () => boolean = () => false): Promise<void> {
    for (;;) {
      // All promises that can settle without a turn have settled when this resolves.
      await setImmediate()
      if (this.#waiting.length === 0 || until()) return
      const { actor, what, go } = this.#next()
      this.steps += 1
      this.#note(`${actor.name}: ${what}`)
      go()
    }
  }

  #next(): Waiter {
    const free = this.#waiting.filter(({ actor, may }) => actor.stoppedUntil <= this.steps && may())
    const among = free.length > 0 ? free : this.#waiting
    const chosen = among[this.#random.integer(0, among.length)]!
    this.#waiting.splice(this.#waiting.indexOf(chosen), 1)
    return chosen
  }

  #wait(actor: Actor, what: string, may: () => boolean): Promise<void> {
    return new Promise((go) => {
      if (!actor.isKilled) this.#waiting.push({ actor, what, may, go })
    })
  }

  #note(text: string): void {
    this.trace.push(`${this.steps} ${text}`)
    if (this.trace.length > TRACE_MAX) this.trace.shift()
  }
}

const always = (): boolean => true

/** Steps that a failing seed prints: enough to see what the last fault met. */
const TRACE_MAX = 60
