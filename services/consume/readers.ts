import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import { Failure } from '../../schemas/failure.ts'
import type { EventLog, PartitionState } from '../stream/log.ts'
import type { FlushClock } from './flush-clock.ts'
import type { Landed } from './flush.ts'
import type { LandingThread } from './landing-thread.ts'
import type { Place } from './log-cursor.ts'
import { PartitionReader } from './partition-reader.ts'
import { resumePartition } from './resume-partition.ts'

export type ReadersDoors = { log: EventLog; landing: LandingThread; logger: Logger }

/** How the readers are tied to their consumer. */
type Ties = {
  topic: string
  clock: FlushClock
  /** Aborted when the consumer stops. */
  stopping: AbortSignal
  /** Takes what makes it impossible to go on. */
  fail: (error: unknown) => void
}

/** Pause before a log that could not be read is looked at again: brokers take seconds to restart. */
const RETRY_MS = 500

/**
 * Readers of the assigned partitions. Starts take turns, so that a partition never has two. A log
 * that is out of reach for a while, or that moved away under a reader, ends nothing: the partition
 * is taken up again from where the lake stands.
 */
export class Readers {
  readonly #doors: ReadersDoors
  readonly #ties: Ties
  readonly #byPartition = new Map<number, PartitionReader>()
  /** The assignment; null before the first one. */
  #wanted: ReadonlySet<number> | null = null
  #turn: Promise<unknown> = Promise.resolve()

  constructor(doors: ReadersDoors, ties: Ties) {
    this.#doors = doors
    this.#ties = ties
  }

  /** Takes a whole new assignment; resolves when its readers run. */
  assign(partitions: readonly number[]): Promise<void> {
    const wanted = new Set(partitions)
    this.#wanted = wanted
    for (const partition of this.#byPartition.keys()) {
      if (!wanted.has(partition)) this.#stop(partition)
    }
    return this.#inTurn(() => this.#start(partitions))
  }

  /** Notes what a flush landed; partitions that another consumer landed are taken up again. */
  async note(outcome: readonly Landed[]): Promise<void> {
    for (const { partition, next } of outcome) this.#byPartition.get(partition)?.land(next)
    const lost = outcome.filter(({ ours }) => !ours).map(({ partition }) => partition)
    if (lost.length > 0) await this.#restart(lost)
  }

  /** Offsets below which everything is in the lake; null before the first assignment. */
  landed(): ReadonlyMap<number, number> | null {
    if (this.#wanted === null) return null
    return new Map([...this.#byPartition].map(([partition, { landed }]) => [partition, landed]))
  }

  /** Whether everything below the ends of the assigned partitions is in the lake. */
  areAt(ends: readonly PartitionState[]): boolean {
    return this.#reached(ends, ({ landed }) => landed)
  }

  /** Whether all of that was read, though it may still wait to be landed. */
  haveRead(ends: readonly PartitionState[]): boolean {
    return this.#reached(ends, ({ handed }) => handed)
  }

  #reached(ends: readonly PartitionState[], how: (reader: PartitionReader) => number): boolean {
    if (this.#wanted === null) return false
    return ends
      .filter(({ partition }) => this.#wanted?.has(partition))
      .every(({ partition, end }) => {
        const reader = this.#byPartition.get(partition)
        return reader !== undefined && how(reader) >= end
      })
  }

  /** Resolves when no start is under way. */
  async settled(): Promise<void> {
    await this.#turn
  }

  /** Stops all readers; no other one starts. */
  async end(): Promise<void> {
    this.#wanted = new Set()
    for (const partition of this.#byPartition.keys()) this.#stop(partition)
    await this.#turn
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => {})
    return done
  }

  #stop(partition: number): void {
    this.#byPartition.get(partition)?.stop()
    this.#byPartition.delete(partition)
  }

  #restart(partitions: readonly number[]): Promise<void> {
    return this.#inTurn(() => {
      for (const partition of partitions) this.#stop(partition)
      return this.#start(partitions)
    })
  }

  #isMissing(partition: number): boolean {
    return this.#wanted?.has(partition) === true && !this.#byPartition.has(partition)
  }

  async #start(partitions: readonly number[]): Promise<void> {
    while (!this.#ties.stopping.aborted && partitions.some((one) => this.#isMissing(one))) {
      try {
        return await this.#startMissing(partitions)
      } catch (error) {
        if (!mayPass(error)) throw error
        this.#doors.logger.warn({ code: error.code }, error.message)
        await this.#pause()
      }
    }
  }

  async #startMissing(partitions: readonly number[]): Promise<void> {
    const { log, landing } = this.#doors
    const { topic } = this.#ties
    for (const state of await log.partitions(topic)) {
      if (!partitions.includes(state.partition) || !this.#isMissing(state.partition)) continue
      // What an earlier assignment left pending is read again from where the lake stands.
      await landing.drop(state.partition)
      const place = await resumePartition({ log, landing, topic }, state)
      if (this.#isMissing(state.partition)) this.#read(place)
    }
  }

  #read(place: Place): void {
    const { partition } = place
    const reader = new PartitionReader(place, this.#doors, this.#ties.clock)
    this.#byPartition.set(partition, reader)
    reader.run().catch((error: unknown) => void this.#recover(partition, reader, error))
  }

  /**
   * Takes a partition up again after an error that may pass. What was read is landed first: the log
   * may not hold it any more.
   */
  async #recover(partition: number, reader: PartitionReader, error: unknown): Promise<void> {
    const { stopping, clock, fail } = this.#ties
    const isCurrent = (): boolean =>
      !stopping.aborted && this.#byPartition.get(partition) === reader
    if (!isCurrent()) return
    if (!mayPass(error)) return fail(error)
    this.#doors.logger.warn({ partition, code: error.code }, error.message)
    try {
      await clock.nextFlush(stopping)
      if (isCurrent()) await this.#restart([partition])
    } catch (fatal) {
      if (!stopping.aborted) fail(fatal)
    }
  }

  #pause(): Promise<void> {
    // Aborted = stopped: whoever waits looks at the signal.
    return sleep(RETRY_MS, undefined, { signal: this.#ties.stopping }).catch(() => undefined)
  }
}

/** Failures after which the log is looked at again. */
const RESUMABLE: ReadonlySet<string> = new Set([
  'E_LOG_GAP',
  'E_LOG_TRUNCATED',
  'E_LOG_RECREATED',
  'E_LOG_UNAVAILABLE'
])

/** Whether the log may be read again later, from the same place or another. */
export const mayPass = (error: unknown): error is Failure =>
  error instanceof Failure && (error.retriable || RESUMABLE.has(error.code))
