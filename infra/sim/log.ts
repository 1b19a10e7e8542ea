import { Failure } from '../../schemas/failure.ts'
import type {
  EventLog,
  OutRecord,
  PartitionState,
  ReadLimits,
  RecordRun
} from '../../services/stream/log.ts'
import type { Random } from '../worlds/random.ts'
import type { Turn } from './scheduler.ts'

type Stored = { offset: number; timeMs: number; value: Uint8Array; crc32c: number; id: string }
type Partition = {
  incarnation: string
  start: number
  end: number
  records: Stored[]
  /** How often another leader took over. */
  leader: number
}

/** A record that the log gave away, whether or not somebody had read it. */
export type LostRecord = {
  id: string
  partition: number
  offset: number
  how: 'trimmed' | 'truncated' | 'recreated'
}

export type SimRecord = OutRecord & { value: Uint8Array; id: string }

/** Records of one read: few, so that runs end in the middle of a batch. */
const READ_RECORDS_MAX = 4

/**
 * An event log in memory with the faults of real ones: an append that fails, or that succeeds and
 * says it failed; retention, a truncated tail, a topic made anew.
 */
export class SimLog {
  readonly topic = 'usage.events.v1'
  readonly lost: LostRecord[] = []
  readonly #partitions: Partition[]
  readonly #random: Random
  readonly #nowMs: () => number
  #made = 1
  /** Share of appends whose answer is lost, and of those that do not happen at all. */
  unreliable = 0

  constructor(count: number, random: Random, nowMs: () => number) {
    this.#random = random
    this.#nowMs = nowMs
    this.#partitions = Array.from({ length: count }, () => emptyPartition('topic-1'))
  }

  /** The port as one process uses it; what a consumer does not call is left out. */
  door(turn: Turn): Pick<EventLog, 'partitions' | 'read'> {
    return {
      partitions: async () => (await turn('look at partitions'), this.states()),
      read: async (_topic, partition, offset, limits) => {
        await turn(`read partition ${partition} at ${offset}`)
        return this.#read(partition, offset, limits)
      }
    }
  }

  states(): PartitionState[] {
    return this.#partitions.map(({ incarnation, start, end }, partition) => ({
      partition,
      incarnation,
      start,
      end
    }))
  }

  /** @throws Failure E_LOG_UNAVAILABLE, whether or not the records are in the log. */
  append(partition: number, records: readonly SimRecord[]): void {
    const fate = this.#random.uniform()
    if (fate < this.unreliable / 2) throw unavailable()
    const into = this.#partitions[partition]!
    for (const { id, value } of records) {
      const crc32c = this.#random.integer(0, 2 ** 32)
      into.records.push({ offset: into.end++, timeMs: this.#nowMs(), value, crc32c, id })
    }
    if (fate < this.unreliable) throw unavailable()
  }

  /** Retention: the oldest records go. */
  trim(partition: number, count: number): void {
    const from = this.#partitions[partition]!
    this.#lose(partition, 'trimmed', from.records.splice(0, count))
    from.start = from.records[0]?.offset ?? from.end
  }

  /**
   * A leader dies, and one that was not in sync takes over: the newest records go, and their offsets
   * are given again.
   */
  truncate(partition: number, count: number): void {
    const from = this.#partitions[partition]!
    const kept = Math.max(0, from.records.length - count)
    this.#lose(partition, 'truncated', from.records.splice(kept))
    from.end = (from.records.at(-1)?.offset ?? from.start - 1) + 1
    from.leader += 1
  }

  /** Everything goes, and offsets begin anew under another identity. */
  recreate(): void {
    this.#made += 1
    this.#partitions.forEach(({ records }, partition) => {
      this.#lose(partition, 'recreated', records)
      this.#partitions[partition] = emptyPartition(`topic-${this.#made}`)
    })
  }

  #lose(partition: number, how: LostRecord['how'], records: readonly Stored[]): void {
    this.lost.push(...records.map(({ id, offset }) => ({ id, offset, partition, how })))
  }

  /** Connections never break: only a reader that names its leader learns of another one. */
  #read(partition: number, offset: number, { incarnation, leader }: ReadLimits): RecordRun {
    const from = this.#partitions[partition]!
    if (incarnation !== undefined && incarnation !== from.incarnation) {
      throw new Failure('E_LOG_RECREATED', `partition ${partition} is ${from.incarnation}`)
    }
    if (leader != null && leader !== from.leader) throw unavailable()
    if (offset < from.start) throw new Failure('E_LOG_GAP', `${offset} is gone`)
    if (offset > from.end) throw new Failure('E_LOG_TRUNCATED', `${offset} is beyond ${from.end}`)
    const found = from.records.filter((record) => record.offset >= offset)
    const records = found.slice(0, 1 + this.#random.integer(0, READ_RECORDS_MAX))
    return runOf({ partition, offset, leader: from.leader }, records)
  }
}

const emptyPartition = (incarnation: string): Partition => ({
  incarnation,
  start: 0,
  end: 0,
  records: [],
  leader: 0
})

const unavailable = (): Failure =>
  new Failure('E_LOG_UNAVAILABLE', 'the broker did not answer', { retriable: true })

type Seen = { partition: number; offset: number; leader: number }

const runOf = ({ partition, offset, leader }: Seen, records: readonly Stored[]): RecordRun => {
  const valueEnd = new Int32Array(records.length)
  records.forEach(
    ({ value }, index) => (valueEnd[index] = (valueEnd[index - 1] ?? 0) + value.length)
  )
  return {
    partition,
    count: records.length,
    next: (records.at(-1)?.offset ?? offset - 1) + 1,
    leader,
    offsets: Float64Array.from(records, (record) => record.offset),
    timesMs: Float64Array.from(records, ({ timeMs }) => timeMs),
    bytes: new Uint8Array(Buffer.concat(records.map(({ value }) => value))),
    valueStart: Int32Array.from(records, (_, index) => valueEnd[index - 1] ?? 0),
    valueEnd,
    checksum: (index) => records[index]!.crc32c,
    faults: [],
    header: () => null
  }
}
