import { NULL_VALUE, type RecordRun, type UnreadableBatch } from '../log.ts'
import { readBatches, type BatchPosition, type BatchSection } from './batch-reader.ts'
import { crc32c } from './crc32c.ts'
import { CHECKSUM_DIGITS, CHECKSUM_FRAME, CHECKSUM_HEADER } from './record-batch.ts'
import { SpareMemory } from './spare-memory.ts'
import { unreadable } from './unreadable.ts'

/**
 * Takes the records of batch sections apart into columns. This runs once per record, so it makes
 * no object and no view for one; text is decoded only when a header is asked for.
 */

/** Reads varints and keeps the position. Numbers above 2^53 do not occur in valid records. */
class Cursor {
  readonly bytes: Uint8Array
  at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  /** Zigzag varint. Running past the end gives NaN or a nonsense length, which bounds refuse. */
  varint(): number {
    const first = this.bytes[this.at++]!
    if (first < 0x80) return (first >>> 1) ^ -(first & 1)
    return this.#longVarint(first)
  }

  #longVarint(first: number): number {
    let unsigned = first & 0x7f
    let scale = 0x80
    let byte = first
    while (byte >= 0x80) {
      byte = this.bytes[this.at++]!
      unsigned += (byte & 0x7f) * scale
      scale *= 0x80
    }
    return unsigned % 2 === 0 ? unsigned / 2 : -(unsigned + 1) / 2
  }
}

const startsWith = (bytes: Uint8Array, at: number, frame: Uint8Array): boolean => {
  for (let index = 0; index < frame.length; index++) {
    if (bytes[at + index] !== frame[index]) return false
  }
  return true
}

const hexDigit = (code: number): number => {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const letter = code | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : NaN
}

const readHex = (bytes: Uint8Array, at: number): number => {
  let value = 0
  for (let index = at; index < at + CHECKSUM_DIGITS; index++) {
    value = value * 16 + hexDigit(bytes[index]!)
  }
  return value
}

/** Columns that grow nowhere: their size is the count that the batches declare. */
class Columns {
  count = 0
  readonly offsets: Float64Array
  readonly timesMs: Float64Array
  readonly keyStart: Int32Array
  readonly keyEnd: Int32Array
  readonly valueStart: Int32Array
  readonly valueEnd: Int32Array
  readonly headers: Int32Array
  readonly faults: UnreadableBatch[] = []
  readonly bytes: Uint8Array
  readonly #cursor: Cursor

  constructor(bytes: Uint8Array, countMax: number) {
    this.bytes = bytes
    this.#cursor = new Cursor(bytes)
    this.offsets = new Float64Array(countMax)
    this.timesMs = new Float64Array(countMax)
    this.keyStart = new Int32Array(countMax)
    this.keyEnd = new Int32Array(countMax)
    this.valueStart = new Int32Array(countMax)
    this.valueEnd = new Int32Array(countMax)
    this.headers = new Int32Array(countMax)
  }

  /** Adds a section's records, or none of them when they do not fill it exactly. */
  addSection(section: BatchSection, firstOffset: number): void {
    const rows = this.count
    const faults = this.faults.length
    try {
      this.#addRecords(section, firstOffset)
    } catch (why) {
      this.count = rows
      this.faults.length = faults
      const { baseOffset, lastOffset, baseTimeMs, batch } = section
      this.faults.push(
        unreadable({
          first: Math.max(baseOffset, firstOffset),
          next: lastOffset + 1,
          timeMs: section.appendTimeMs ?? baseTimeMs,
          bytes: batch,
          why
        })
      )
    }
  }

  #addRecords(section: BatchSection, firstOffset: number): void {
    const cursor = this.#cursor
    cursor.at = section.start
    for (let index = 0; index < section.count; index++) {
      const length = cursor.varint()
      const end = cursor.at + length
      if (!(length > 0 && end <= section.end)) throw new RangeError('a record is cut off')
      this.#addRecord(section, end, firstOffset)
      cursor.at = end
    }
    if (cursor.at !== section.end) throw new RangeError('bytes follow the last record')
  }

  #addRecord(section: BatchSection, end: number, firstOffset: number): void {
    const cursor = this.#cursor
    const row = this.count
    // One byte of attributes, which no version of the format uses yet.
    cursor.at++
    const timeDelta = cursor.varint()
    const offset = section.baseOffset + cursor.varint()
    const keyLength = cursor.varint()
    const keyStart = cursor.at
    cursor.at = keyStart + Math.max(keyLength, 0)
    const keyEnd = cursor.at
    const valueLength = cursor.varint()
    const valueStart = cursor.at
    cursor.at = valueStart + Math.max(valueLength, 0)
    if (!(cursor.at <= end)) throw new RangeError('a record is longer than its frame')
    // Else the next read would begin before or behind it, and land it twice or never.
    if (!(offset >= section.baseOffset && offset <= section.lastOffset)) {
      throw new RangeError(`a record's offset ${offset} lies outside of its batch`)
    }
    if (offset < firstOffset) return
    this.offsets[row] = offset
    this.timesMs[row] = section.appendTimeMs ?? section.baseTimeMs + timeDelta
    this.keyStart[row] = keyStart
    this.keyEnd[row] = keyEnd
    this.valueStart[row] = valueStart
    this.valueEnd[row] = valueLength < 0 ? NULL_VALUE : cursor.at
    this.headers[row] = cursor.at
    this.count++
    this.#checkHeader(row, end)
  }

  /** Our producer writes the checksum first, so looking at the first header is enough. */
  #checkHeader(row: number, end: number): void {
    const { bytes } = this
    const cursor = this.#cursor
    const hasHeaders = cursor.at < end && bytes[cursor.at] !== 0
    if (!hasHeaders) return
    cursor.varint()
    if (!startsWith(bytes, cursor.at, CHECKSUM_FRAME)) return
    const stored = readHex(bytes, cursor.at + CHECKSUM_FRAME.length)
    if (stored !== this.checksum(row)) this.#refuse(row)
  }

  /** Takes the last row back. */
  #refuse(row: number): void {
    const first = this.offsets[row]!
    this.faults.push(
      unreadable({
        first,
        next: first + 1,
        timeMs: this.timesMs[row]!,
        bytes: this.bytes.subarray(this.valueStart[row]!, Math.max(this.valueEnd[row]!, 0)),
        why: `the record's ${CHECKSUM_HEADER} header contradicts its key and value`
      })
    )
    this.count--
  }

  checksum(row: number): number {
    const key = crc32c(this.bytes, this.keyStart[row]!, this.keyEnd[row]!)
    const end = this.valueEnd[row]!
    return end === NULL_VALUE ? key : crc32c(this.bytes, this.valueStart[row]!, end, key)
  }

  header(row: number, name: string): string | null {
    const cursor = new Cursor(this.bytes)
    cursor.at = this.headers[row]!
    const text = (length: number): string => {
      const start = cursor.at
      cursor.at += Math.max(length, 0)
      return Buffer.from(this.bytes.subarray(start, cursor.at)).toString()
    }
    // A count is believed as far as there are bytes.
    for (let left = cursor.varint(); left > 0 && cursor.at < this.bytes.length; left--) {
      const found = text(cursor.varint())
      const length = cursor.varint()
      const value = text(length)
      if (found === name && length >= 0) return value
    }
    return null
  }
}

const WORD_BYTES = 8

/**
 * All sections in one piece of memory of their own: it moves on to another thread with the run,
 * and what they were read from is used again.
 */
const gather = (sections: readonly BatchSection[], memory: SpareMemory): Uint8Array => {
  const total = sections.reduce((sum, { start, end }) => sum + end - start + WORD_BYTES, 0)
  const all = memory.take(total)
  let at = 0
  for (const section of sections) {
    // V8 copies shared memory by words where both sides begin alike in one, and else byte by byte.
    at += (section.bytes.byteOffset + section.start - at) & (WORD_BYTES - 1)
    const size = section.bytes.copy(all, at, section.start, section.end)
    Object.assign(section, { bytes: all, start: at, end: at + size })
    at += size
  }
  return all
}

/**
 * A run in columns from record batches; what can not be read is among its faults.
 * @param parts whole batches, one or several to a part; nothing of them is kept.
 * @param memory where the run's own memory comes from.
 */
export const readRun = (
  parts: readonly Buffer[],
  position: BatchPosition,
  memory = new SpareMemory()
): RecordRun => {
  const { sections, faults, next } = readBatches(parts, position)
  const countMax = sections.reduce((sum, { count }) => sum + count, 0)
  const columns = new Columns(gather(sections, memory), countMax)
  for (const section of sections) columns.addSection(section, position.offset)
  return {
    partition: position.partition,
    count: columns.count,
    next,
    leader: position.leader ?? null,
    offsets: columns.offsets.subarray(0, columns.count),
    timesMs: columns.timesMs.subarray(0, columns.count),
    bytes: columns.bytes,
    valueStart: columns.valueStart.subarray(0, columns.count),
    valueEnd: columns.valueEnd.subarray(0, columns.count),
    faults: [...faults, ...columns.faults].sort((a, b) => a.first - b.first),
    checksum: (index) => columns.checksum(index),
    header: (index, name) => columns.header(index, name)
  }
}
