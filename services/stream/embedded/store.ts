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
  /** Lets reads see the newest commit of other processes too. */
  refresh: () => void
  close: () => Promise<void>
}

const EMPTY_PARTITION: PartitionRow = { start: 0, end: 0, bytes: 0, timeMs: 0 }
/** Topics, partitions, batches and counters, with room to grow. */
const TABLES_MAX = 8
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

const openRoot = (folder: string): RootDatabase => {
  try {
    // Without overlapping sync a commit returns only after fsync, which is what an
    // acknowledgement promises.
    return open({ path: folder, maxDbs: TABLES_MAX, overlappingSync: false })
  } catch (error) {
    throw toFailure(error, folder)
  }
}

/** Opens the store in a folder, creating it when it is not there. */
export const openStore = (folder: string): Store => {
  const root = openRoot(folder)
  const commit = <T>(write: () => T): T => {
    try {
      return root.transactionSync(write)
    } catch (error) {
      throw toFailure(error, folder)
    }
  }
  return {
    topics: root.openDB('topics', { encoding: 'json' }),
    partitions: root.openDB('partitions', { encoding: 'json', keyEncoding: 'binary' }),
    batches: root.openDB('batches', { encoding: 'binary', keyEncoding: 'binary' }),
    counters: root.openDB('counters', { encoding: 'json' }),
    commit,
    refresh: () => root.resetReadTxn(),
    close: () => root.close()
  }
}
