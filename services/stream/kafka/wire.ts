/**
 * The "flexible" encoding of Kafka's newer requests, which kafkajs does not speak: lengths are
 * unsigned varints one larger than the length (0 is null), and each structure ends with tagged
 * fields. Source: KIP-482.
 */

const NO_TAGS = 0
/** First guess of a request's size; requests that carry records append them as they are. */
const REQUEST_BYTES_FIRST = 256
const UUID_BYTES = 16
/** A varint of 32 bits takes at most this many bytes. */
const VARINT_BYTES_MAX = 5

/** Writes one request. */
export class WireWriter {
  readonly #done: Buffer[] = []
  #bytes = Buffer.allocUnsafe(REQUEST_BYTES_FIRST)
  #at = 0

  int8(value: number): this {
    this.#reserve(1)
    this.#at = this.#bytes.writeInt8(value, this.#at)
    return this
  }

  int16(value: number): this {
    this.#reserve(2)
    this.#at = this.#bytes.writeInt16BE(value, this.#at)
    return this
  }

  int32(value: number): this {
    this.#reserve(4)
    this.#at = this.#bytes.writeInt32BE(value, this.#at)
    return this
  }

  int64(value: number): this {
    this.#reserve(8)
    this.#at = this.#bytes.writeBigInt64BE(BigInt(value), this.#at)
    return this
  }

  bool(value: boolean): this {
    return this.int8(value ? 1 : 0)
  }

  text(value: string | null): this {
    if (value === null) return this.#varint(0)
    return this.bytes(Buffer.from(value))
  }

  /** Bytes with their length in front; they are not copied. */
  bytes(value: Buffer): this {
    this.#varint(value.length + 1)
    this.#done.push(this.#bytes.subarray(0, this.#at), value)
    this.#bytes = Buffer.allocUnsafe(REQUEST_BYTES_FIRST)
    this.#at = 0
    return this
  }

  uuid(value: string): this {
    const bytes = Buffer.from(value.replaceAll('-', ''), 'hex')
    this.#reserve(UUID_BYTES)
    this.#at += bytes.copy(this.#bytes, this.#at)
    return this
  }

  array<T>(items: readonly T[], write: (item: T) => void): this {
    this.#varint(items.length + 1)
    for (const item of items) write(item)
    return this
  }

  /** Ends a structure: no tagged fields. */
  end(): this {
    return this.#varint(NO_TAGS)
  }

  toBuffer(): Buffer {
    return Buffer.concat([...this.#done, this.#bytes.subarray(0, this.#at)])
  }

  #varint(value: number): this {
    this.#reserve(VARINT_BYTES_MAX)
    let rest = value
    while (rest > 0x7f) {
      this.#bytes[this.#at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    this.#bytes[this.#at++] = rest
    return this
  }

  #reserve(extra: number): void {
    if (this.#at + extra <= this.#bytes.length) return
    const grown = Buffer.allocUnsafe(this.#bytes.length * 2 + extra)
    this.#bytes.copy(grown, 0, 0, this.#at)
    this.#bytes = grown
  }
}

/** Reads one answer. Running past its end throws a RangeError. */
export class WireReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  int8(): number {
    return this.#bytes.readInt8(this.#move(1))
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#move(2))
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#move(4))
  }

  int64(): number {
    return Number(this.#bytes.readBigInt64BE(this.#move(8)))
  }

  text(): string | null {
    return this.bytes()?.toString() ?? null
  }

  /** Bytes as they lie in the answer, not copied. */
  bytes(): Buffer | null {
    const length = this.#varint() - 1
    if (length < 0) return null
    const start = this.#move(length)
    if (this.#at > this.#bytes.length) throw new RangeError('an answer of the broker is cut off')
    return this.#bytes.subarray(start, this.#at)
  }

  uuid(): string {
    const start = this.#move(UUID_BYTES)
    const hex = this.#bytes.toString('hex', start, this.#at)
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  }

  /** A null array reads as an empty one. */
  array<T>(read: () => T): T[] {
    const length = this.#varint() - 1
    // Room is made before the items are read; each takes a byte at least.
    if (length > this.#bytes.length - this.#at) {
      throw new RangeError('an answer of the broker is cut off')
    }
    return Array.from({ length: Math.max(length, 0) }, read)
  }

  /** Skips the tagged fields that end a structure. */
  end(): void {
    for (let left = this.#varint(); left > 0; left--) {
      this.#varint()
      this.#move(this.#varint())
    }
  }

  #move(bytes: number): number {
    const start = this.#at
    this.#at += bytes
    return start
  }

  #varint(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#bytes.readUInt8(this.#move(1))
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    throw new RangeError('an answer of the broker is malformed')
  }
}
