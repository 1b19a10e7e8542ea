import { once } from 'node:events'
import type { Logger } from 'pino'
import { Failure } from '../../schemas/failure.ts'
import type { EventLog, Membership } from '../stream/log.ts'
import type { LandingThread } from './landing-thread.ts'
import { FlushClock } from './flush-clock.ts'
import { PartitionReader } from './partition-reader.ts'
import type { Source } from './pending.ts'
import { resumePartition } from './resume-partition.ts'

export type ConsumerSettings = {
  topic: string
  group: string
  /** Longest time that a record waits in memory before it is landed. */
  flushMsMax: number
  /** Rows that force a flush: what keeps memory bounded. */
  flushRowsMax: number
  /** A backlog is cut at multiples of this many offsets of a partition. */
  cutOffsets: number
}

export const CONSUMER_DEFAULTS = {
  flushMsMax: 5_000,
  // 131,072 rows of 300 bytes are 40 MB in columns and 100 MB in DuckDB.
  flushRowsMax: 131_072,
  cutOffsets: 32_768
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
  readonly #readers = new Map<number, PartitionReader>()
  readonly #clock: FlushClock
  readonly #stopping = new AbortController()
  #membership: Membership | null = null
  #assignment: Promise<void> = Promise.resolve()
  #failure: Error | null = null

  constructor(settings: ConsumerSettings, doors: ConsumerDoors) {
    this.#settings = settings
    this.#doors = doors
    this.#clock = new FlushClock(settings, doors.nowMs)
  }

  /** Runs until `stop` is called. @throws what made it impossible to go on. */
  async run(): Promise<void> {
    const { topic, group } = this.#settings
    this.#membership = await this.#doors.log.join(topic, group, {
      assigned: (partitions) => this.#assign(partitions),
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

  /** Resolves when every assigned partition was read to its end and landed, or on `stop`. */
  async caughtUp(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      await this.#assignment
      const ends = await this.#doors.log.partitions(this.#settings.topic)
      const behind = ends.some(({ partition, end }) => {
        const reader = this.#readers.get(partition)
        return reader === undefined || reader.landed < end
      })
      if (!behind) return
      this.#clock.hurry()
      // Aborted = stopped: the loop sees it, and `run` says why.
      await once(this.#clock, 'flushed', { signal }).catch(() => {})
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error
    this.stop()
  }

  async #assign(partitions: number[]): Promise<void> {
    const wanted = new Set(partitions)
    for (const [partition, reader] of this.#readers) {
      if (wanted.has(partition)) continue
      reader.stop()
      this.#readers.delete(partition)
    }
    const fresh = partitions.filter((partition) => !this.#readers.has(partition))
    this.#assignment = this.#assignment.then(() => this.#start(fresh))
    await this.#assignment
  }

  async #start(partitions: readonly number[]): Promise<void> {
    if (partitions.length === 0) return
    const { log, landing } = this.#doors
    const states = await log.partitions(this.#settings.topic)
    for (const state of states.filter(({ partition }) => partitions.includes(partition))) {
      // What an earlier assignment left pending is read again from where the lake stands.
      await landing.drop(state.partition)
      const next = await resumePartition({ log, landing, topic: this.#settings.topic }, state)
      this.#read(state.partition, next, state.incarnation)
    }
  }

  #read(partition: number, next: number, incarnation: string): void {
    const source: Source = { topic: this.#settings.topic, incarnation }
    const reader = new PartitionReader({ partition, next, source }, this.#doors, this.#clock)
    this.#readers.set(partition, reader)
    reader.run().catch((error: unknown) => {
      if (this.#readers.get(partition) === reader) void this.#recover(partition, error)
    })
  }

  /** A log that moved away under a reader is looked at again; anything else ends the process. */
  async #recover(partition: number, error: unknown): Promise<void> {
    const { logger } = this.#doors
    try {
      if (!(error instanceof Failure) || !RESUMABLE.has(error.code)) throw error
      logger.warn({ partition, code: error.code }, error.message)
      await this.#restart([partition])
    } catch (fatal) {
      this.#fail(fatal instanceof Error ? fatal : new Error(String(fatal)))
    }
  }

  async #restart(partitions: readonly number[]): Promise<void> {
    for (const partition of partitions) {
      this.#readers.get(partition)?.stop()
      this.#readers.delete(partition)
      await this.#doors.landing.drop(partition)
    }
    await this.#start(partitions)
  }

  async #flush(): Promise<void> {
    await this.#checkIncarnations()
    this.#clock.begin()
    for (;;) {
      try {
        const landed = await this.#doors.landing.flush()
        const lost = landed.filter(({ ours }) => !ours)
        for (const { partition, next } of landed) this.#readers.get(partition)?.land(next)
        await this.#restart(
          lost.map(({ partition }) => partition).filter((p) => this.#readers.has(p))
        )
        return this.#clock.end()
      } catch (error) {
        if (!(error instanceof Failure) || !error.retriable) throw error
        this.#doors.logger.error({ code: error.code, hint: error.hint }, error.message)
        await pause(RETRY_MS)
      }
    }
  }

  /** What was read since the topic was recreated belongs to another log: it is read anew. */
  async #checkIncarnations(): Promise<void> {
    const states = await this.#doors.log.partitions(this.#settings.topic)
    const changed = states.filter(({ partition, incarnation }) => {
      const reader = this.#readers.get(partition)
      return reader !== undefined && reader.incarnation !== incarnation
    })
    await this.#restart(changed.map(({ partition }) => partition))
  }

  async #end(): Promise<void> {
    for (const reader of this.#readers.values()) reader.stop()
    await this.#assignment
    if (this.#failure === null) await this.#flush()
    await this.#membership?.leave()
  }
}

const RESUMABLE: ReadonlySet<string> = new Set(['E_LOG_GAP', 'E_LOG_TRUNCATED', 'E_LOG_RECREATED'])

const pause = (timeMs: number): Promise<void> =>
  new Promise((resolve) => void setTimeout(resolve, timeMs))
