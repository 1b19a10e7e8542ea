import { Failure } from '../../../schemas/failure.ts'
import { Cursor, truncated } from './cursor.ts'

/** Records that are read together: enough to make a loop worth it, few enough for the nearest cache. */
export const CHUNK_RECORDS = 256

const CACHE_LINE_BYTES = 64
/** Above 28 bits, as many as leave a double exact. */
const HIGH_MAX = 2 ** 25

/** Some records of a chunk, in rising order: the first `count` of `records`. */
export class Selection {
  readonly records = new Int32Array(CHUNK_RECORDS)
  count = 0

  /** Selects the first `count` records. */
  first(count: number): this {
    for (let record = 0; record < count; record++) this.records[record] = record
    this.count = count
    return this
  }

  add(record: number): void {
    this.records[this.count++] = record
  }

  drop(refused: { has: (record: number) => boolean }): void {
    let kept = 0
    for (let index = 0; index < this.count; index++) {
      const record = this.records[index]!
      if (!refused.has(record)) this.records[kept++] = record
    }
    this.count = kept
  }
}

/**
 * Reads one value of every selected record, beginning with the `from`-th of them, and says in
 * `chunk.index` which one it is at: a Failure is about that one alone.
 */
export type Loop = (chunk: Chunk, selection: Selection, from: number) => void

/**
 * Records of one schema on their way into columns, one field of all of them after the other. So a
 * function is called for each field of a chunk, not for each value, and loops have one shape of
 * data: that is a third of the cost of reading record by record.
 */
export class Chunk {
  bytes: Uint8Array = new Uint8Array(0)
  view = new DataView(this.bytes.buffer)
  /** Where each record goes on. */
  readonly at = new Int32Array(CHUNK_RECORDS)
  readonly ends = new Int32Array(CHUNK_RECORDS)
  /** Row that the chunk's first record becomes. */
  row = 0
  index = 0
  readonly refused = new Map<number, Failure>()
  /** For values that are nested. */
  readonly #cursor = new Cursor()

  /** Looks at other memory. */
  attach(bytes: Uint8Array): void {
    this.#cursor.attach(bytes)
    this.bytes = bytes
    this.view = this.#cursor.view
  }

  /** Begins anew, with no record refused; the first one becomes row `row`. */
  begin(row: number): void {
    this.row = row
    this.refused.clear()
  }

  /**
   * Brings bytes near, in the order that they lie in: fields are read across records, a jump from
   * one to the next, and each jump would wait for memory by itself.
   */
  fetch(start: number, end: number): void {
    const { bytes } = this
    let sum = 0
    for (let at = start; at < end; at += CACHE_LINE_BYTES) sum += bytes[at]!
    // Kept, or the compiler would leave the reads out.
    this.index = sum
  }

  /** Runs a loop over a selection; records that fail are refused, and the others go on. */
  run(loop: Loop, selection: Selection, path: string): void {
    for (let from = 0; from < selection.count; from = this.index + 1) {
      try {
        loop(this, selection, from)
        return
      } catch (error) {
        this.#refuse(selection.records[this.index]!, error, path)
      }
    }
  }

  /** A zigzag varint (Avro int and long): as a cursor reads it, but without one for each record. */
  readLong(record: number): number {
    const { bytes } = this
    const end = this.ends[record]!
    let at = this.at[record]!
    let byte = at < end ? bytes[at++]! : truncated()
    let low = byte & 0x7f
    for (let shift = 7; byte >= 0x80 && shift < 28; shift += 7) {
      byte = at < end ? bytes[at++]! : truncated()
      low |= (byte & 0x7f) << shift
    }
    this.at[record] = at
    return byte >= 0x80 ? this.#readWide(record, low) : (low >>> 1) ^ -(low & 1)
  }

  /** Length of a string or bytes value that follows, checked against what is left. */
  readLength(record: number): number {
    const length = this.readLong(record)
    const left = this.ends[record]! - this.at[record]!
    if (length < 0 || length > left) {
      throw new Failure(
        'E_RECORD_UNREADABLE',
        `a value claims ${length} bytes where ${left} are left`
      )
    }
    return length
  }

  /** Steps over bytes. @returns where they begin. */
  skip(record: number, length: number): number {
    const start = this.at[record]!
    if (this.ends[record]! - start < length) truncated()
    this.at[record] = start + length
    return start
  }

  /** A cursor at a record, for values that are nested; `leave` takes its position over. */
  enter(record: number): Cursor {
    this.#cursor.frame(this.at[record]!, this.ends[record]!)
    return this.#cursor
  }

  leave(record: number): void {
    this.at[record] = this.#cursor.at
  }

  /** The rest of a varint, whose low 28 bits are known. Two halves, since doubles are slow to add up. */
  #readWide(record: number, low: number): number {
    const { bytes } = this
    const end = this.ends[record]!
    let at = this.at[record]!
    let byte = 0x80
    let high = 0
    for (let shift = 0; byte >= 0x80 && shift < 28; shift += 7) {
      byte = at < end ? bytes[at++]! : truncated()
      high |= (byte & 0x7f) << shift
    }
    if (byte >= 0x80 || high >= HIGH_MAX) return this.#readOdd(record)
    this.at[record] = at
    const zigzag = high * 2 ** 28 + low
    return (low & 1) === 0 ? zigzag / 2 : -(zigzag + 1) / 2
  }

  /** A varint with idle bytes, or beyond what is exact: the cursor knows what to say to it. */
  #readOdd(record: number): number {
    const cursor = this.enter(record)
    cursor.at -= 4
    const value = cursor.readLong()
    this.leave(record)
    return value
  }

  #refuse(record: number, error: unknown, path: string): void {
    if (!(error instanceof Failure)) throw error
    const message = path === '' ? error.message : `${path}: ${error.message}`
    this.refused.set(record, new Failure(error.code, message, { cause: error }))
  }
}
