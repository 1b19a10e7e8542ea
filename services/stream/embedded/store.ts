import { open, type Database, type RootDatabase } from 'lmdb'
import { Failure } from '../../../schemas/failure.ts'
import { openDisk, RESERVE_BYTES } from './disk.ts'

/**
 * The tables of the embedded log in one LMDB environment. Several processes may have it open at
 * once: writers take turns by LMDB's lock, readers see whole commits. A commit is synced to disk
 * before it returns, and a killed process leaves the last commit standing.
 */

export type TopicRow = {
  /** Unique for ever: the identity that readers compare. */
  incarnation: string
  /** Short name of the topic in keys; never given twice. */
  number: number
  partitions: number
}

export type PartitionRow = {
  start: number
  end: number
  /** Bytes of all batches held. */
  bytes: number
  /** Time of the last append: append times never go back. */
  timeMs: number
}

export type Store = {
  topics: Database<TopicRow, string>
  partitions: Database<PartitionRow, Buffer>
  /** Record batches by topic, partition and last offset. */
  batches: Database<Buffer, Buffer>
  counters: Database<number, string>
  /**
   * Runs writes in one transaction and returns once it is on disk; when anything throws, nothing
   * of it happened. The thread waits for the disk meanwhile: lmdb's asynchronous commit would not,
   * but it lets errors of the disk escape as unhandled rejections.
   * @throws Failure E_DISK_FULL, E_LOG_UNAVAILABLE; a Failure of `write` as it is.
   */
  commit: <T>(write: () => T) => T
  /**
   * Runs reads.
   * @throws Failure E_LOG_CORRUPT when the file is not what was written; a Failure of `read` as it is.
   */
  look: <T>(read: () => T) => T
  /** Lets reads see the newest commit of other processes too. */
  refresh: () => void
  close: () => Promise<void>
}

const EMPTY_PARTITION: PartitionRow = { start: 0, end: 0, bytes: 0, timeMs: 0 }
/** Topics, partitions, batches and counters, with room to grow. */
const TABLES_MAX = 8
/** How LMDB and the rows' decoder say that pages are not what they were. */
const DAMAGED = /MDB_(PAGE_NOTFOUND|CORRUPTED|INVALID|PANIC)|JSON|Unexpected/
const DISK_FULL = /ENOSPC|EDQUOT|No space left|Disk quota|MDB_MAP_FULL/

export const partitionKey = (topicNumber: number, partition: number): Buffer => {
  const key = Buffer.allocUnsafe(8)
  key.writeUInt32BE(topicNumber, 0)
  key.writeUInt32BE(partition, 4)
  return key
}

/** Sorts by topic, partition and offset. */
export const batchKey = (topicNumber: number, partition: number, lastOffset: number): Buffer => {
  const key = Buffer.allocUnsafe(16)
  key.writeUInt32BE(topicNumber, 0)
  key.writeUInt32BE(partition, 4)
  key.writeBigUInt64BE(BigInt(lastOffset), 8)
  return key
}

export const readPartition = (store: Store, topic: TopicRow, partition: number): PartitionRow =>
  store.partitions.get(partitionKey(topic.number, partition)) ?? EMPTY_PARTITION

const toFailure = (error: unknown, folder: string): Failure => {
  if (error instanceof Failure) return error
  const message = error instanceof Error ? error.message : String(error)
  if (DAMAGED.test(message)) return corrupt(folder, message, error)
  // A page that fits only in part is reported as an error of input and output.
  const isFull = DISK_FULL.test(message) || openDisk(folder).freeBytes() < RESERVE_BYTES
  return new Failure(
    isFull ? 'E_DISK_FULL' : 'E_LOG_UNAVAILABLE',
    `the log in ${folder} failed: ${message}`,
    {
      retriable: true,
      hint: 'Check the device of the log: its space and its health.',
      cause: error
    }
  )
}

const corrupt = (folder: string, what: string, cause?: unknown): Failure =>
  new Failure('E_LOG_CORRUPT', `the log in ${folder} is damaged: ${what}`, {
    hint: 'Put its folder back from a copy, or move it away and begin a new one: the lake keeps what it landed.',
    cause
  })

const openRoot = (folder: string): RootDatabase => {
  try {
    // Without overlapping sync a commit returns only after fsync, which is what an
    // acknowledgement promises.
    return open({ path: folder, maxDbs: TABLES_MAX, overlappingSync: false })
  } catch (error) {
    throw toFailure(error, folder)
  }
}

/**
 * LMDB's pages carry no checksum, and the rows of partitions none of their own: each is compared
 * with its newest batch. With a smaller end, appends would give offsets a second time.
 * @throws Failure E_LOG_CORRUPT
 */
const checkEnds = (store: Store, folder: string): void => {
  for (const { key: topic, value: row } of store.topics.getRange()) {
    for (let partition = 0; partition < row.partitions; partition++) {
      const { start, end } = readPartition(store, row, partition)
      const range = {
        start: batchKey(row.number, partition, Number.MAX_SAFE_INTEGER),
        end: batchKey(row.number, partition, 0),
        reverse: true,
        limit: 1
      }
      const [newest] = [...store.batches.getKeys(range)]
      const behind = newest === undefined ? end : Number(newest.readBigUInt64BE(8)) + 1
      if (end === behind && start <= end) continue
      throw corrupt(
        folder,
        `${topic} partition ${partition} ends at ${end}, its batches at ${behind}`
      )
    }
  }
}

/**
 * Opens the store in a folder, creating it when it is not there.
 * @throws Failure E_LOG_CORRUPT, E_LOG_UNAVAILABLE
 */
export const openStore = (folder: string): Store => {
  const root = openRoot(folder)
  const look = <T>(read: () => T): T => {
    try {
      return read()
    } catch (error) {
      throw error instanceof RangeError
        ? corrupt(folder, error.message, error)
        : toFailure(error, folder)
    }
  }
  const commit = <T>(write: () => T): T => {
    try {
      return root.transactionSync(write)
    } catch (error) {
      throw toFailure(error, folder)
    }
  }
  const store: Store = {
    topics: root.openDB('topics', { encoding: 'json' }),
    partitions: root.openDB('partitions', { encoding: 'json', keyEncoding: 'binary' }),
    batches: root.openDB('batches', { encoding: 'binary', keyEncoding: 'binary' }),
    counters: root.openDB('counters', { encoding: 'json' }),
    commit,
    look,
    refresh: () => root.resetReadTxn(),
    close: () => root.close()
  }
  look(() => checkEnds(store, folder))
  return store
}
