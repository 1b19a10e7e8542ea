import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { Failure } from '../../schemas/failure.ts'
import type { EventLog, Membership, PartitionState } from '../stream/log.ts'
import type { Landed } from './flush.ts'
import type { LandingThread } from './landing-thread.ts'
import { FlushClock } from './flush-clock.ts'
import { mayPass, Readers } from './readers.ts'

export type ConsumerSettings = {
  topic: string
  group: string
  /** Longest time that a record waits in memory before it is landed. */
  flushMsMax: number
  /** Rows that force a flush: what keeps memory bounded. */
  flushRowsMax: number
  /** A backlog is cut at multiples of this many offsets of a partition, or of a few times as many. */
  cutOffsets: number
}

export const CONSUMER_DEFAULTS = {
  flushMsMax: 5_000,
  // 262,144 rows of 300 bytes are 80 MB in columns and 200 MB in DuckDB. A flush costs about 100 ms
  // of CPU whatever it lands, so half as many rows would cost a twelfth more of all.
  flushRowsMax: 262_144,
  cutOffsets: 65_536
} as const

export type ConsumerDoors = {
  log: EventLog
  landing: LandingThread
  logger: Logger
  nowMs: () => number
}

/** How long to wait before a flush that failed for want of space is tried again. */
const RETRY_MS = 1_000

/**
 * Reads the assigned partitions and lands them. It keeps nothing that it could not read again:
 * positions come from the lake, and what is in memory is only what has not been landed yet.
 */
export class Consumer {
  readonly #settings: ConsumerSettings
  readonly #doors: ConsumerDoors
  readonly #readers: Readers
  readonly #clock: FlushClock
  readonly #stopping = new AbortController()
  #membership: Membership | null = null
  #failure: Error | null = null

  constructor(settings: ConsumerSettings, doors: ConsumerDoors) {
    this.#settings = settings
    this.#doors = doors
    this.#clock = new FlushClock(settings, doors.nowMs)
    this.#readers = new Readers(doors, {
      topic: settings.topic,
      clock: this.#clock,
      stopping: this.#stopping.signal,
      fail: (error) => this.#fail(error)
    })
  }

  /** Runs until `stop` is called. @throws what made it impossible to go on. */
  async run(): Promise<void> {
    const { topic, group } = this.#settings
    this.#membership = await this.#doors.log.join(topic, group, {
      assigned: (partitions) => this.#readers.assign(partitions),
      failed: (error) => this.#fail(error)
    })
    try {
      while (!this.#stopping.signal.aborted) {
        await this.#clock.due(this.#stopping.signal)
        await this.#flush()
      }
    } finally {
      await this.#end()
    }
    if (this.#failure !== null) throw this.#failure
  }

  /** Lands what was read and leaves the group. */
  stop(): void {
    this.#stopping.abort()
  }

  /** By assigned partition, the offset below which everything is in the lake; null = none yet. */
  landed(): ReadonlyMap<number, number> | null {
    return this.#readers.landed()
  }

  /** Resolves when every assigned partition was read to its end and landed, or on `stop`. */
  async caughtUp(): Promise<void> {
    const { signal } = this.#stopping
    // Aborted = stopped: the loops see it, and `run` says why.
    const next = (event: string): Promise<unknown> =>
      once(this.#clock, event, { signal }).catch(() => {})
    while (!signal.aborted) {
      await this.#readers.settled()
      const ends = await this.#ends()
      if (ends !== null && this.#readers.areAt(ends)) return
      // Only the last records are hurried: a backlog is landed in full flushes.
      while (ends !== null && !signal.aborted && !this.#readers.haveRead(ends))
        await next('changed')
      this.#clock.hurry()
      await next('flushed')
    }
  }

  async #ends(): Promise<PartitionState[] | null> {
    try {
      return await this.#doors.log.partitions(this.#settings.topic)
    } catch (error) {
      if (mayPass(error)) return null
      throw error
    }
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error))
    this.stop()
  }

  /** Lands what is pending. A failure that may pass is waited out, unless the consumer stops. */
  async #flush(): Promise<void> {
    this.#clock.begin()
    for (;;) {
      try {
        const landed = await this.#doors.landing.flush()
        this.#advise(landed)
        await this.#readers.note(landed)
        return this.#clock.end()
      } catch (error) {
        const isOver = this.#stopping.signal.aborted
        if (isOver || !(error instanceof Failure) || !error.retriable) throw error
        this.#doors.logger.error({ code: error.code, hint: error.hint }, error.message)
        await sleep(RETRY_MS)
      }
    }
  }

  /** Tells the group how far the lake is, for operators' tools; nothing here ever reads it. */
  #advise(landed: readonly Landed[]): void {
    if (landed.length === 0) return
    void this.#membership?.advise(new Map(landed.map(({ partition, next }) => [partition, next])))
  }

  async #end(): Promise<void> {
    this.stop()
    await this.#readers.end()
    if (this.#failure === null) await this.#flush()
    await this.#membership?.leave()
  }
}
