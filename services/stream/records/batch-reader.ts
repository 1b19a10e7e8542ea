import type { UnreadableBatch } from '../log.ts'
import { crc32c } from './crc32c.ts'
import { decompress } from './decompress.ts'
import { ATTRIBUTE, BATCH, LENGTH_PREFIX_BYTES, MAGIC, readInt64 } from './record-batch.ts'
import { unreadable } from './unreadable.ts'

/** Records of one batch, plain, before they are taken apart. */
export type BatchSection = {
  /** The batch as it lay in the log. */
  batch: Buffer
  bytes: Buffer
  start: number
  end: number
  count: number
  baseOffset: number
  lastOffset: number
  baseTimeMs: number
  /** Time that the log gave to all records; null when each carries its producer's. */
  appendTimeMs: number | null
}

/** A transaction that was given up: its producer's records from `firstOffset` on do not count. */
export type AbortedTransaction = { producerId: number; firstOffset: number }

export type BatchPosition = {
  partition: number
  /** Offset that was asked for; what lies before it in a batch is dropped. */
  offset: number
  aborted?: readonly AbortedTransaction[]
  /** Leader epoch under which the batches were read. */
  leader?: number
  /** The log has no holes: a batch that starts anywhere but behind the one before it is wrong. */
  isDense?: boolean
}

export type BatchSections = {
  sections: BatchSection[]
  faults: UnreadableBatch[]
  /** Offset behind the last batch that was seen. */
  next: number
}

/** Least length field that has room for a header. */
const LENGTH_MIN = BATCH.records - LENGTH_PREFIX_BYTES
/** Length, attributes, time, offset, key, value and the count of headers, a byte each. */
const RECORD_BYTES_MIN = 7
const CONTROL_TYPE_ABORT = 0
const NOTHING = Buffer.alloc(0)
/** A producer without identity writes outside transactions. */
const NO_PRODUCER = -1

/** Keeps track of which producers' records are part of a transaction that was given up. */
class AbortedProducers {
  readonly #waiting: AbortedTransaction[]
  readonly #active = new Set<number>()

  constructor(aborted: readonly AbortedTransaction[]) {
    this.#waiting = [...aborted].sort((a, b) => a.firstOffset - b.firstOffset)
  }

  /** Whether a transactional batch is to be dropped. Batches come in the order of offsets. */
  drops(producerId: number, lastOffset: number): boolean {
    while (this.#waiting[0] !== undefined && this.#waiting[0].firstOffset <= lastOffset) {
      this.#active.add(this.#waiting.shift()!.producerId)
    }
    return this.#active.has(producerId)
  }

  ended(producerId: number): void {
    this.#active.delete(producerId)
  }
}

class Batch {
  readonly bytes: Buffer
  readonly attributes: number
  readonly baseOffset: number
  readonly lastOffset: number
  readonly producerId: number

  constructor(bytes: Buffer) {
    this.bytes = bytes
    this.attributes = bytes.readInt16BE(BATCH.attributes)
    this.baseOffset = readInt64(bytes, BATCH.baseOffset)
    this.lastOffset = this.baseOffset + bytes.readInt32BE(BATCH.lastOffsetDelta)
    this.producerId = readInt64(bytes, BATCH.producerId)
  }

  has(attribute: number): boolean {
    return (this.attributes & attribute) !== 0
  }

  holds(offset: number): boolean {
    return this.baseOffset <= offset && offset <= this.lastOffset
  }

  get count(): number {
    return this.bytes.readInt32BE(BATCH.recordCount)
  }

  /** What contradicts the batch's own checksum or framing; null when nothing does. */
  fault(): string | null {
    if (this.bytes[BATCH.magic] !== MAGIC) return `unknown batch version ${this.bytes[BATCH.magic]}`
    const stored = this.bytes.readUInt32BE(BATCH.crc)
    const actual = crc32c(this.bytes, BATCH.attributes)
    if (stored !== actual) {
      return `the checksum of a batch is ${actual.toString(16)}, not ${stored.toString(16)}`
    }
    const isExact = this.baseOffset >= 0 && Number.isSafeInteger(this.lastOffset + 1)
    const isFitting = this.count >= 0 && this.lastOffset >= this.baseOffset
    return isExact && isFitting ? null : 'the counts do not fit'
  }

  /** Type of a control record: its key is a version and a type, behind four one-byte fields. */
  isAbortMarker(): boolean {
    const key = BATCH.records + 5
    return key + 4 <= this.bytes.length && this.bytes.readInt16BE(key + 2) === CONTROL_TYPE_ABORT
  }

  get timeMs(): number {
    return readInt64(this.bytes, BATCH.maxTimestamp)
  }

  /** What is compressed; of no record it may be an empty frame, which is a fault to some codecs. */
  #content(codec: number): Buffer {
    if (this.count === 0) return NOTHING
    return decompress(codec, this.bytes.subarray(BATCH.records))
  }

  /** @throws Error when the records can not be decompressed. */
  section(): BatchSection {
    const codec = this.attributes & ATTRIBUTE.compressionMask
    const plain = codec === 0 ? this.bytes : this.#content(codec)
    const start = codec === 0 ? BATCH.records : 0
    // Room for records is made by their count, so it is believed only where they would fit.
    if (this.count > (plain.length - start) / RECORD_BYTES_MIN) {
      throw new RangeError(`${this.count} records do not fit into ${plain.length - start} bytes`)
    }
    return {
      batch: this.bytes,
      bytes: plain,
      start,
      end: plain.length,
      count: this.count,
      baseOffset: this.baseOffset,
      lastOffset: this.lastOffset,
      baseTimeMs: readInt64(this.bytes, BATCH.baseTimestamp),
      appendTimeMs: this.has(ATTRIBUTE.logAppendTime) ? this.timeMs : null
    }
  }
}

/** The batch at `at`; null when it is cut off there, as the last one of an answer may be. */
const batchAt = (bytes: Buffer, at: number): Batch | null => {
  if (at + BATCH.records > bytes.length) return null
  const end = at + LENGTH_PREFIX_BYTES + Math.max(bytes.readInt32BE(at + BATCH.length), LENGTH_MIN)
  return end > bytes.length ? null : new Batch(bytes.subarray(at, end))
}

/**
 * How far to go on behind a corrupt batch. Its header may be wrong too: only when the count of
 * records confirms the last offset is it believed, else the next offset is tried.
 */
const behind = (batch: Batch, offset: number): number => {
  const isConfirmed = batch.lastOffset - batch.baseOffset === batch.count - 1
  return isConfirmed && batch.holds(offset) ? batch.lastOffset + 1 : offset + 1
}

class SectionReader implements BatchSections {
  readonly sections: BatchSection[] = []
  readonly faults: UnreadableBatch[] = []
  next: number
  readonly #aborted: AbortedProducers
  readonly #isDense: boolean

  constructor({ offset, aborted = [], isDense = false }: BatchPosition) {
    this.next = offset
    this.#aborted = new AbortedProducers(aborted)
    this.#isDense = isDense
  }

  take(batch: Batch): void {
    const isMisplaced = this.#isDense && !batch.holds(this.next)
    const fault = isMisplaced ? `a batch starts at ${batch.baseOffset}` : batch.fault()
    if (fault !== null) return this.#refuse(batch, behind(batch, this.next), fault)
    const isWanted = !this.#isAborted(batch) && batch.lastOffset >= this.next
    if (isWanted && !batch.has(ATTRIBUTE.control)) this.#add(batch)
    this.next = Math.max(this.next, batch.lastOffset + 1)
  }

  /** Where no batch can be told apart, one offset is given up. */
  refuseRest(bytes: Buffer): void {
    const span = { first: this.next, next: this.next + 1, timeMs: 0 }
    this.faults.push(unreadable({ ...span, bytes, why: 'a batch is longer than its log' }))
    this.next++
  }

  #refuse({ bytes, timeMs }: Batch, next: number, why: unknown): void {
    this.faults.push(unreadable({ first: this.next, next, timeMs, bytes, why }))
    this.next = next
  }

  #add(batch: Batch): void {
    try {
      this.sections.push(batch.section())
    } catch (error) {
      this.#refuse(batch, batch.lastOffset + 1, error)
    }
  }

  #isAborted(batch: Batch): boolean {
    if (!batch.has(ATTRIBUTE.transactional) || batch.producerId === NO_PRODUCER) return false
    const isAborted = this.#aborted.drops(batch.producerId, batch.lastOffset)
    if (batch.has(ATTRIBUTE.control) && batch.isAbortMarker()) {
      this.#aborted.ended(batch.producerId)
    }
    return isAborted
  }
}

/**
 * The sections of a run of record batches, as a broker or the embedded log hands them out. Control
 * batches and those of aborted transactions are left out; a batch that is cut off ends the run.
 * @param parts whole batches, one or several to a part; only the last one may be cut off.
 */
export const readBatches = (parts: readonly Buffer[], position: BatchPosition): BatchSections => {
  const reader = new SectionReader(position)
  for (const [index, bytes] of parts.entries()) {
    const read = readPart(reader, bytes)
    if (read === bytes.length) continue
    if (index === 0 && read === 0) reader.refuseRest(bytes)
    break
  }
  return reader
}

/** @returns how many bytes were read: whole batches. */
const readPart = (reader: SectionReader, bytes: Buffer): number => {
  let at = 0
  while (at < bytes.length) {
    const batch = batchAt(bytes, at)
    if (batch === null) break
    reader.take(batch)
    at += batch.bytes.length
  }
  return at
}
