import { Failure } from '../../../schemas/failure.ts'

/** Numbers from here on are not exact in a double; no field of an event needs them. */
const EXACT_MAX = Number.MAX_SAFE_INTEGER
/** Seven bits a byte: a 64-bit varint has at most ten bytes. */
const VARINT_BYTES_MAX = 10

/** A position in Avro binary data. Reading past `end` is a Failure, so is an inexact number. */
export class Cursor {
  bytes: Uint8Array = new Uint8Array(0)
  view: DataView = new DataView(this.bytes.buffer)
  at = 0
  end = 0
  /** How many values the one that is read lies within. */
  depth = 0

  /** Looks at other memory. */
  attach(bytes: Uint8Array): void {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  /** Looks at one record within the memory. */
  frame(start: number, end: number): void {
    this.at = start
    this.end = end
    this.depth = 0
  }

  /** A zigzag varint (Avro int and long). */
  readLong(): number {
    const { bytes, end } = this
    let at = this.at
    let byte = at < end ? bytes[at++]! : truncated()
    let low = byte & 0x7f
    let shift = 7
    while (byte >= 0x80 && shift < 28) {
      byte = at < end ? bytes[at++]! : truncated()
      low |= (byte & 0x7f) << shift
      shift += 7
    }
    this.at = at
    if (byte < 0x80) return (low >>> 1) ^ -(low & 1)
    return this.#readWide(low)
  }

  /** The rest of a varint of more than four bytes, whose low 28 bits are known. */
  #readWide(low: number): number {
    const { bytes, end } = this
    let value = low
    let scale = 2 ** 28
    for (let count = 4; count < VARINT_BYTES_MAX; count++) {
      const byte = this.at < end ? bytes[this.at++]! : truncated()
      value += (byte & 0x7f) * scale
      scale *= 128
      if (byte < 0x80) return exact(value, low)
    }
    throw new Failure('E_RECORD_UNREADABLE', 'a varint has more than ten bytes')
  }

  readDouble(): number {
    this.#need(8)
    const value = this.view.getFloat64(this.at, true)
    this.at += 8
    return value
  }

  readFloat(): number {
    this.#need(4)
    const value = this.view.getFloat32(this.at, true)
    this.at += 4
    return value
  }

  readBoolean(): boolean {
    this.#need(1)
    const byte = this.bytes[this.at++]!
    if (byte > 1) throw new Failure('E_RECORD_UNREADABLE', `a boolean is the byte ${byte}`)
    return byte === 1
  }

  /** Length of a string or bytes value that follows, checked against what is left. */
  readLength(): number {
    const length = this.readLong()
    if (length < 0 || length > this.end - this.at) {
      throw new Failure(
        'E_RECORD_UNREADABLE',
        `a value claims ${length} bytes where ${this.end - this.at} are left`
      )
    }
    return length
  }

  skip(length: number): void {
    this.#need(length)
    this.at += length
  }

  #need(length: number): void {
    if (this.end - this.at < length) truncated()
  }
}

/** Where a value goes on behind its record. */
export const truncated = (): never => {
  throw new Failure('E_RECORD_UNREADABLE', 'the record ends within a value')
}

/** Undoes zigzag on a wide value; the sum was exact below 2^53. */
const exact = (zigzag: number, low: number): number => {
  if (zigzag > EXACT_MAX) {
    throw new Failure('E_RECORD_UNREADABLE', `an integer beyond ±2^52: about ${zigzag / 2}`)
  }
  return (low & 1) === 0 ? zigzag / 2 : -(zigzag + 1) / 2
}
