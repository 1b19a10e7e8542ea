import type { EventLog, ReadLimits, RecordRun } from '../stream/log.ts'
import type { Source } from './pending.ts'

/** Where a partition is read, and under which leader what lies before was found in the log. */
export type Place = { partition: number; next: number; leader: number | null; source: Source }

/**
 * Reads one partition on, run by run. Each read insists on the topic and on the leader of the one
 * before it: under another leader the same offsets may be other records, which only the tail
 * anchor tells (`resume-partition.ts`).
 */
export class LogCursor {
  readonly #log: Pick<EventLog, 'read'>
  readonly #place: Place

  constructor(log: Pick<EventLog, 'read'>, place: Place) {
    this.#log = log
    this.#place = { ...place }
  }

  /** Offset that the next read begins at. */
  get next(): number {
    return this.#place.next
  }

  /** The next run; one at a time. @throws as the log's `read` does. */
  async read(limits: Pick<ReadLimits, 'bytesMax' | 'waitMsMax' | 'signal'>): Promise<RecordRun> {
    const { partition, next, leader, source } = this.#place
    const run = await this.#log.read(source.topic, partition, next, {
      ...limits,
      incarnation: source.incarnation,
      leader
    })
    this.#place.next = run.next
    this.#place.leader = run.leader
    return run
  }
}
