import { Failure } from '../../schemas/failure.ts'
import type { OutRecord } from './log.ts'

/** An append that waits for its commit. */
export type PendingAppend = { topic: string; records: readonly OutRecord[] }

type Waiting = PendingAppend & {
  bytes: number
  resolve: () => void
  reject: (error: unknown) => void
}

/**
 * Bytes that may wait for the log at once. Beyond, callers are told to slow down: the memory is
 * theirs, and at any sane pace of commits 64 MiB is seconds of work.
 */
const WAITING_BYTES_MAX = 64 * 1024 * 1024
/** Bytes of one commit: bounds how long a caller waits behind others. */
const COMMIT_BYTES_MAX = 4 * 1024 * 1024

const sizeOf = (records: readonly OutRecord[]): number =>
  records.reduce((sum, { key, value }) => sum + key.length + (value?.length ?? 0), 0)

/**
 * Collects appends while a commit is under way and commits them together, so that many small
 * callers share one sync to disk.
 */
export class AppendQueue {
  readonly #commit: (appends: readonly PendingAppend[]) => Promise<void>
  #waiting: Waiting[] = []
  #waitingBytes = 0
  #run: Promise<void> | null = null

  constructor(commit: (appends: readonly PendingAppend[]) => Promise<void>) {
    this.#commit = commit
  }

  /** @throws Failure E_BACKPRESSURE when too much is waiting; else what the commit throws. */
  async append(topic: string, records: readonly OutRecord[]): Promise<void> {
    const bytes = sizeOf(records)
    if (this.#waitingBytes > 0 && this.#waitingBytes + bytes > WAITING_BYTES_MAX) {
      throw new Failure('E_BACKPRESSURE', `${this.#waitingBytes} bytes wait for the log`, {
        retriable: true,
        hint: 'Send again after a pause.'
      })
    }
    this.#waitingBytes += bytes
    const done = new Promise<void>((resolve, reject) => {
      this.#waiting.push({ topic, records, bytes, resolve, reject })
    })
    this.#run ??= this.#drain()
    await done
  }

  /** Resolves once nothing waits any more. */
  async drained(): Promise<void> {
    await this.#run
  }

  async #drain(): Promise<void> {
    // One turn of the event loop, so that callers of the same moment share the commit.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0) await this.#commitNext()
    this.#run = null
  }

  async #commitNext(): Promise<void> {
    const appends = this.#take()
    try {
      await this.#commit(appends)
      for (const { resolve } of appends) resolve()
    } catch (error) {
      for (const { reject } of appends) reject(error)
    } finally {
      for (const { bytes } of appends) this.#waitingBytes -= bytes
    }
  }

  #take(): Waiting[] {
    let bytes = 0
    let count = 0
    for (const waiting of this.#waiting) {
      if (count > 0 && bytes + waiting.bytes > COMMIT_BYTES_MAX) break
      bytes += waiting.bytes
      count++
    }
    return this.#waiting.splice(0, count)
  }
}
