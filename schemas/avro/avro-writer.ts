/**
 * Writes Avro's binary encoding into memory that is used again, since encoding is synchronous: no
 * object is made but the bytes at the end.
 * Source: Apache Avro specification, "Binary Encoding".
 */
export class AvroWriter {
  #bytes: Buffer
  #end: number
  readonly #start: number

  /** What is written stands behind `prefix`. */
  constructor(prefix: Uint8Array, bytesFirst: number) {
    this.#bytes = Buffer.allocUnsafeSlow(bytesFirst)
    this.#bytes.set(prefix)
    this.#start = this.#end = prefix.length
  }

  /** Bytes so far, the prefix among them. */
  get length(): number {
    return this.#end
  }

  reset(): void {
    this.#end = this.#start
  }

  /** A copy of the bytes so far. */
  take(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#end))
  }

  /** A branch of a union, a boolean, or the end of an array, in its encoded form. */
  byte(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#end++] = value
  }

  /** An int or long; exact for all safe integers. */
  long(value: number): void {
    this.#reserve(VARINT_BYTES_MAX)
    const bytes = this.#bytes
    const isNegative = value < 0
    const magnitude = isNegative ? -(value + 1) : value
    // Zigzag doubles, which a large number would not survive: its lowest seven bits come first.
    let rest = Math.floor(magnitude / 64)
    let low = (magnitude % 64) * 2 + Number(isNegative)
    while (rest > 0) {
      bytes[this.#end++] = low | MORE
      low = rest % MORE
      rest = rest < SMALL ? rest >>> 7 : Math.floor(rest / MORE)
    }
    bytes[this.#end++] = low
  }

  double(value: number): void {
    this.#reserve(8)
    this.#end = this.#bytes.writeDoubleLE(value, this.#end)
  }

  text(value: string): void {
    const { length } = value
    if (length > SHORT_TEXT) return this.#longText(value)
    this.#reserve(length + VARINT_BYTES_MAX)
    const bytes = this.#bytes
    const start = this.#end
    // Short text takes one byte for its length, and nearly always one a character.
    let at = start + 1
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index)
      if (code >= ASCII_END) return this.#longText(value)
      bytes[at++] = code
    }
    bytes[start] = length * 2
    this.#end = at
  }

  #longText(value: string): void {
    const length = Buffer.byteLength(value)
    this.long(length)
    this.#reserve(length)
    this.#end += this.#bytes.write(value, this.#end)
  }

  #reserve(extra: number): void {
    const needed = this.#end + extra
    if (needed <= this.#bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2))
    this.#bytes.copy(grown, 0, 0, this.#end)
    this.#bytes = grown
  }
}

/** 64 bits in groups of seven. */
const VARINT_BYTES_MAX = 10
/** The bit of a varint's byte that says that another follows. */
const MORE = 0x80
/** Below it, whole numbers can be shifted as 32 bits. */
const SMALL = 2 ** 31
const ASCII_END = 0x80
/** Longer text pays for a native call, and its length takes more than a byte. */
const SHORT_TEXT = 63
