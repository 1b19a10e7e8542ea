import { randomUUID } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { AssignmentRelay } from '../assignment-relay.ts'
import type { LogAdmin } from '../log-admin.ts'
import type {
  EventLog,
  Membership,
  MembershipCallbacks,
  OutRecord,
  PartitionState,
  ReadLimits,
  RecordRun
} from '../log.ts'
import { checkRecordSize } from '../records/batch-writer.ts'
import { commitAppends } from './append.ts'
import { AppendQueue } from '../append-queue.ts'
import { SpareMemory } from '../records/spare-memory.ts'
import { openDisk } from './disk.ts'
import { readNow, type ReadPosition } from './read.ts'
import { openStore, readPartition, type Store } from './store.ts'
import { createAdmin, createTopic, findTopic, offsetBefore } from './topics.ts'

export type EmbeddedLogOptions = {
  /** Bytes of records to hold at most; without it the device is the bound. */
  bytesMax?: number
  now?: () => Date
  /** Bytes that the device has left. */
  freeBytes?: () => number
  /** Gives a new topic its identity. */
  createIncarnation?: () => string
}

/**
 * How long a waiting reader sleeps between looks. Appends of this process wake it at once; those
 * of other processes are seen by looking, which costs microseconds.
 */
const LOOK_INTERVAL_MS = 20
/** How often members look for new partitions: a new one may wait this long for its reader. */
const ASSIGNMENT_INTERVAL_MS = 1000
const APPENDED = 'appended'

/** A log in a folder of this machine, for one or several processes. Opens or creates it. */
export class EmbeddedLog implements EventLog, LogAdmin {
  readonly #store: Store
  readonly #queue: AppendQueue
  readonly #admin: LogAdmin
  readonly #createIncarnation: () => string
  readonly #bell = new EventEmitter()
  readonly #memberships = new Set<Membership>()
  /** What runs lay in before. */
  readonly #memory = new SpareMemory()

  constructor(folder: string, options: EmbeddedLogOptions = {}) {
    const { bytesMax = Infinity, now = () => new Date() } = options
    const store = openStore(folder)
    const disk = openDisk(folder)
    if (options.freeBytes !== undefined) disk.freeBytes = options.freeBytes
    this.#store = store
    this.#admin = createAdmin(store)
    this.#createIncarnation = options.createIncarnation ?? randomUUID
    // Each waiting read listens; there may be many partitions.
    this.#bell.setMaxListeners(0)
    this.#queue = new AppendQueue(async (appends) => {
      commitAppends({ store, now, bytesMax, disk }, appends)
      this.#bell.emit(APPENDED)
    })
  }

  async ensureTopic(topic: string, partitions: number): Promise<boolean> {
    return createTopic(this.#store, topic, { partitions, incarnation: this.#createIncarnation() })
  }

  async partitions(topic: string): Promise<PartitionState[]> {
    this.#store.refresh()
    return this.#store.look(() => {
      const row = findTopic(this.#store, topic)
      return Array.from({ length: row.partitions }, (_, partition) => {
        const { start, end } = readPartition(this.#store, row, partition)
        return { partition, incarnation: row.incarnation, start, end }
      })
    })
  }

  async append(topic: string, records: readonly OutRecord[]): Promise<void> {
    for (const record of records) checkRecordSize(record)
    this.#store.refresh()
    findTopic(this.#store, topic)
    if (records.length > 0) await this.#queue.append(topic, records)
  }

  async read(
    topic: string,
    partition: number,
    offset: number,
    limits: ReadLimits
  ): Promise<RecordRun> {
    const position: ReadPosition = { topic, partition, offset }
    const deadline = performance.now() + limits.waitMsMax
    const read = (): RecordRun =>
      this.#store.look(() => readNow(this.#store, position, limits, this.#memory))
    let run = read()
    while (run.next === offset) {
      const leftMs = deadline - performance.now()
      if (leftMs <= 0 || limits.signal?.aborted === true) break
      await this.#nextLook(Math.min(leftMs, LOOK_INTERVAL_MS), limits.signal)
      run = read()
    }
    return run
  }

  reuse({ bytes }: RecordRun): void {
    this.#memory.give(bytes)
  }

  /** All partitions are one member's; the group's name is of no consequence. */
  async join(topic: string, _group: string, callbacks: MembershipCallbacks): Promise<Membership> {
    const relay = new AssignmentRelay(callbacks)
    let known = ''
    const look = async (): Promise<void> => {
      const states = await this.partitions(topic)
      const seen = states.map(({ incarnation }) => incarnation).join()
      if (seen !== known) relay.assign(states.map(({ partition }) => partition))
      known = seen
    }
    await look()
    const timer = setInterval(
      () => void look().catch((error) => relay.fail(error)),
      ASSIGNMENT_INTERVAL_MS
    )
    const membership: Membership = {
      leave: async () => {
        clearInterval(timer)
        this.#memberships.delete(membership)
        await relay.end()
      },
      advise: async () => {}
    }
    this.#memberships.add(membership)
    return membership
  }

  deleteBefore(topic: string, partition: number, offset: number): Promise<void> {
    return this.#admin.deleteBefore(topic, partition, offset)
  }

  addPartitions(topic: string, partitions: number): Promise<void> {
    return this.#admin.addPartitions(topic, partitions)
  }

  deleteTopic(topic: string): Promise<void> {
    return this.#admin.deleteTopic(topic)
  }

  /** Removes the batches of a topic that were appended before a time: retention by age. */
  async deleteBeforeTime(topic: string, timeMs: number): Promise<void> {
    this.#store.refresh()
    const row = findTopic(this.#store, topic)
    for (let partition = 0; partition < row.partitions; partition++) {
      await this.deleteBefore(
        topic,
        partition,
        offsetBefore(this.#store, row, { partition, timeMs })
      )
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#memberships].map((membership) => membership.leave()))
    await this.#queue.drained()
    await this.#store.close()
  }

  /** Resolves when something was appended here, or after a while, or when the read is ended. */
  #nextLook(waitMs: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer)
        this.#bell.off(APPENDED, end)
        signal?.removeEventListener('abort', end)
        resolve()
      }
      const timer = setTimeout(end, waitMs)
      this.#bell.once(APPENDED, end)
      signal?.addEventListener('abort', end)
    })
  }
}
