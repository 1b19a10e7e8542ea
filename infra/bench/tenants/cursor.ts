import type { EventLog, PartitionState, RecordRun } from '../../../services/stream/log.ts'
import { timeOf } from './generated-event.ts'

/** Several batches an answer, so that the copy is not bound by round trips; 4 MiB. */
const BYTES_MAX = 4 << 20
const WAIT_MS = 250

/** One partition of the generator's topic, record by record. */
export class Cursor {
  readonly #log: EventLog
  readonly #topic: string
  readonly #state: PartitionState
  #run: RecordRun | null = null
  #index = 0
  #next: number
  /** Event time of the record that it stands at. */
  time = 0

  constructor(log: EventLog, topic: string, state: PartitionState) {
    this.#log = log
    this.#topic = topic
    this.#state = state
    this.#next = state.start
  }

  /** Whether the record that it stands at is in memory. */
  get isLoaded(): boolean {
    return this.#run !== null && this.#index < this.#run.count
  }

  /** Reads on. @returns false at the partition's end. */
  async load(): Promise<boolean> {
    const limits = { bytesMax: BYTES_MAX, waitMsMax: WAIT_MS }
    while (!this.isLoaded) {
      if (this.#next >= this.#state.end) return false
      this.#run = await this.#log.read(this.#topic, this.#state.partition, this.#next, limits)
      this.#index = 0
      this.#next = this.#run.next
    }
    this.time = timeOf(this.#value())
    return true
  }

  /** A copy of the record that it stands at; goes on to the next. */
  take(): Buffer {
    const value = Buffer.from(this.#value())
    this.#index += 1
    if (this.isLoaded) this.time = timeOf(this.#value())
    return value
  }

  #value(): Uint8Array {
    const { bytes, valueStart, valueEnd } = this.#run!
    return bytes.subarray(valueStart[this.#index], valueEnd[this.#index])
  }
}
