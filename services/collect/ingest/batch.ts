import { EVENTS_TOPIC } from '../../../schemas/topics.ts'
import type { EventLog, OutRecord } from '../../stream/log.ts'

/** One sync to disk or one request to a broker for this many; a second's work at full speed. */
const RECORDS_MAX = 2000
/** Below the largest request that a broker takes by default (1 MiB). */
const BYTES_MAX = 900 * 1024

/**
 * Groups records into appends, one under way while the next fills. `done` runs in order, once
 * everything added before it is durable.
 */
export class Batch {
  readonly #log: EventLog
  #records: OutRecord[] = []
  #bytes = 0
  #underWay: Promise<void> = Promise.resolve()

  constructor(log: EventLog) {
    this.#log = log
  }

  isFull(): boolean {
    return this.#records.length >= RECORDS_MAX || this.#bytes >= BYTES_MAX
  }

  add(records: readonly OutRecord[]): void {
    for (const record of records) {
      this.#records.push(record)
      this.#bytes += record.key.length + (record.value?.length ?? 0)
    }
  }

  /** Resolves when the append before this one is durable; `settle` waits for this one too. */
  async flush(done: (events: number) => Promise<void>): Promise<void> {
    await this.#underWay
    const records = this.#records
    this.#records = []
    this.#bytes = 0
    this.#underWay = (async () => {
      if (records.length > 0) await this.#log.append(EVENTS_TOPIC, records)
      await done(records.length)
    })()
    // A rejection is thrown by the next flush or by settle, never as an unhandled one.
    this.#underWay.catch(() => undefined)
  }

  settle(): Promise<void> {
    return this.#underWay
  }
}
