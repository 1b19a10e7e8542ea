/**
 * The port to the event log. Two implementations, `kafka/` and `embedded/`, pass one conformance
 * suite. Nothing above this folder knows which one runs. Offsets are plain numbers (exact up to
 * 2^53); times are milliseconds since the epoch; bytes are never copied without need.
 */

/** A record to append. */
export type OutRecord = {
  /** Decides the partition; records of one key keep their order. */
  key: string
  /** At most 1,000,000 bytes together with the key; null is a tombstone. */
  value: Uint8Array | null
  /** The `crc32c` header is added when it is not given. */
  headers?: Readonly<Record<string, string>>
}

/** What is known of a partition at the moment of asking. */
export type PartitionState = {
  partition: number
  /** Identity of the topic itself: another value means it was deleted and created anew. */
  incarnation: string
  /** First offset that the log still holds. */
  start: number
  /** Offset that the next record will get (the high watermark; last stable offset in Kafka). */
  end: number
  /**
   * Offsets beyond the end that can not be read yet: some producer's transaction is open, and
   * nothing behind its first record is given out before it ends. Absent when there are none.
   */
  heldBack?: number
}

/**
 * A run of records of one partition, in columns. Record `i` is at `offsets[i]`, was appended at
 * `timesMs[i]` and its value is `bytes.subarray(valueStart[i], valueEnd[i])`; a null value has
 * `valueEnd[i] === NULL_VALUE`. Offsets rise but may skip (compaction, transaction markers).
 */
export type RecordRun = {
  partition: number
  count: number
  /** Offset to read next: beyond the last record and any marker that follows it. */
  next: number
  /**
   * Under which leader of the partition it was read (Kafka's leader epoch, which only rises); null
   * where the log has one writer for ever. A reader passes it on to its next read.
   */
  leader: number | null
  offsets: Float64Array
  timesMs: Float64Array
  bytes: Uint8Array
  valueStart: Int32Array
  valueEnd: Int32Array
  /** CRC-32C of key and value of each record, as unsigned; the last one is the tail anchor. */
  checksum: (index: number) => number
  /**
   * What could not be read in `[offset, next)`, in the order of offsets: whole batches, and single
   * records whose `crc32c` header contradicts them. Their records are not in the columns.
   */
  faults: readonly UnreadableBatch[]
  /** Header of a record by name, as text; null when absent. Slow: for the rare path. */
  header: (index: number, name: string) => string | null
}

export const NULL_VALUE = -1

/**
 * A batch or record that fails its checksum, its framing or the bound on its plain size. The run
 * goes on behind it: what is bad never hides its neighbours.
 */
export type UnreadableBatch = {
  first: number
  /** Offset behind the batch's last record. */
  next: number
  timeMs: number
  code: 'E_LOG_CORRUPT'
  reason: string
  /** The batch (of a record: the value) as it lay in the log, at most 64 KiB of it. */
  bytes: Uint8Array
  byteLength: number
}

export type ReadLimits = {
  /** Approximate bytes to return; one batch may exceed it. */
  bytesMax: number
  /** How long to wait for a first record before returning an empty run. */
  waitMsMax: number
  /** The topic that the offset belongs to; without it, whichever has the name now. */
  incarnation?: string
  /**
   * The leader under which what lies before the offset was read. A later leader may lack some of it
   * and give the same offsets to other records, so under another one the read fails.
   */
  leader?: number | null
  /** Ends the wait: the read then resolves at once with an empty run. */
  signal?: AbortSignal
}

/** Membership of a consumer group: says which partitions are ours, and keeps it so. */
export type Membership = {
  /** Leaves the group; pending callbacks finish first. */
  leave: () => Promise<void>
  /** Advice for operators' tools only; the lake is the truth for offsets. Never throws. */
  advise: (next: ReadonlyMap<number, number>) => Promise<void>
}

export type MembershipCallbacks = {
  /**
   * Called with the whole new assignment. Calls never overlap, and of several assignments that
   * come in during a call only the newest is passed on. The group does not wait for it: another
   * member may read the same partitions meanwhile, and the commit to the lake decides.
   */
  assigned: (partitions: number[]) => Promise<void> | void
  /** Called once when membership ended for good (a crash of the client); the process must end. */
  failed: (error: Error) => void
}

export type EventLog = {
  /**
   * Creates the topic when it does not exist; an existing one is left as it is.
   * @returns whether it was created.
   */
  ensureTopic: (topic: string, partitions: number) => Promise<boolean>
  /**
   * State of every partition. Also finds partitions added since.
   * @throws Failure E_LOG_UNAVAILABLE when the topic or broker can not be reached.
   */
  partitions: (topic: string) => Promise<PartitionState[]>
  /**
   * Resolves once every record is durable (all in-sync replicas; fsync for the embedded log).
   * On rejection any part of the records may be in the log: the caller repeats all of them, and
   * duplicates are removed when the hour is settled.
   * @throws Failure E_LOG_UNAVAILABLE, E_BACKPRESSURE, E_DISK_FULL (all retriable);
   *   E_BODY_TOO_LARGE when a record has more than 1,000,000 bytes, and then none is appended.
   */
  append: (topic: string, records: readonly OutRecord[]) => Promise<void>
  /**
   * Reads records from `offset` on; an empty run when there are none in time. Several partitions
   * may be read at once. A run's memory is its own: other threads may have it.
   * @throws Failure E_LOG_GAP when `offset` lies below the log's start, E_LOG_TRUNCATED when it
   *   lies beyond its end, E_LOG_RECREATED when the topic is not `limits.incarnation`,
   *   E_LOG_UNAVAILABLE (retriable), also when another leader than `limits.leader` took over: look
   *   whether the log still holds what was read before reading on. Unreadable batches are no exception: they come back as `faults`.
   */
  read: (topic: string, partition: number, offset: number, limits: ReadLimits) => Promise<RecordRun>
  /** Takes the memory of a run back, for runs to come: nobody looks at its `bytes` any more. */
  reuse?: (run: RecordRun) => void
  /** Joins a consumer group on a topic. */
  join: (topic: string, group: string, callbacks: MembershipCallbacks) => Promise<Membership>
  close: () => Promise<void>
}
