/**
 * The wire format of protobuf, read in place: messages are ranges of one buffer, so that nothing is
 * made for a field but its value. A field is known by its tag, number and wire type together; one
 * of another type is skipped like any other that is unknown.
 * Source: protobuf documentation, "Encoding".
 */

const VARINT = 0
const FIXED64 = 1
const LENGTH = 2
const GROUP_START = 3
const GROUP_END = 4
const FIXED32 = 5
const TYPE_BITS = 3
const TYPE_MASK = 7

/** 64 bits in groups of seven. */
const VARINT_BYTES_MAX = 10
const VARINT_BITS = 7
const MORE = 0x80
const LOW_BITS = 0x7f
/** 49 bits, which a double holds. */
const SAFE_BYTES = 7
/** Groups are obsolete and of no field of ours; deeper than this is an attack. */
const GROUP_DEPTH_MAX = 32

export const tagOf = {
  varint: (field: number): number => (field << TYPE_BITS) | VARINT,
  fixed64: (field: number): number => (field << TYPE_BITS) | FIXED64,
  /** Text, bytes and messages. */
  part: (field: number): number => (field << TYPE_BITS) | LENGTH
} as const

/** @throws RangeError from all methods where the bytes are not protobuf. */
export class Wire {
  readonly #bytes: Buffer
  #at = 0
  #end: number
  #messagesLeft: number

  /** @param messages nested ones that may be entered. */
  constructor(bytes: Uint8Array, messages: number) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#end = bytes.length
    this.#messagesLeft = messages
  }

  /** Tag of the next field of the message that is being read; 0 at its end. */
  next(): number {
    if (this.#at === this.#end) return 0
    const tag = this.#varint32()
    if (tag >>> TYPE_BITS === 0) throw new RangeError('a field has no number')
    return tag
  }

  /** Goes into the message that comes next. @returns what `leave` takes. */
  enter(): number {
    if (--this.#messagesLeft < 0) throw new RangeError('it holds too many messages')
    const outerEnd = this.#end
    this.#end = this.#partEnd()
    return outerEnd
  }

  leave(outerEnd: number): void {
    this.#at = this.#end
    this.#end = outerEnd
  }

  /** Passes the part that comes next. @returns where it stands, for `visit`. */
  mark(): number {
    const at = this.#at
    this.#at = this.#partEnd()
    return at
  }

  /** Goes into a message that was marked before, whatever was being read. */
  enterAt(mark: number): void {
    this.#at = mark
    this.#end = this.#bytes.length
    this.enter()
  }

  /** Allows so many nested messages from here on. */
  allow(messages: number): void {
    this.#messagesLeft = messages
  }

  skip(tag: number, depth = 0): void {
    const type = tag & TYPE_MASK
    if (type === VARINT) this.#passVarint()
    else if (type === FIXED64) this.#pass(8)
    else if (type === LENGTH) this.#at = this.#partEnd()
    else if (type === FIXED32) this.#pass(4)
    else if (type === GROUP_START && depth < GROUP_DEPTH_MAX) this.#skipGroup(depth + 1)
    else throw new RangeError(`a field has wire type ${type}`)
  }

  text(): string {
    const end = this.#partEnd()
    const text = this.#bytes.toString('utf8', this.#at, end)
    this.#at = end
    return text
  }

  hex(): string {
    const end = this.#partEnd()
    const text = this.#bytes.toString('hex', this.#at, end)
    this.#at = end
    return text
  }

  base64(): string {
    const end = this.#partEnd()
    const text = this.#bytes.toString('base64', this.#at, end)
    this.#at = end
    return text
  }

  fixed64(): bigint {
    const at = this.#at
    this.#pass(8)
    return this.#bytes.readBigUInt64LE(at)
  }

  double(): number {
    const at = this.#at
    this.#pass(8)
    return this.#bytes.readDoubleLE(at)
  }

  /** Low 32 bits, as bool and enum need them. */
  int32(): number {
    return this.#varint32() | 0
  }

  /** A number where it is surely exact. */
  int64(): number | bigint {
    const start = this.#at
    this.#passVarint()
    const bytes = this.#bytes
    if (this.#at - start <= SAFE_BYTES) {
      let value = 0
      for (let at = this.#at - 1; at >= start; at--) value = value * MORE + (bytes[at]! & LOW_BITS)
      return value
    }
    let value = 0n
    for (let at = this.#at - 1; at >= start; at--) {
      value = (value << BigInt(VARINT_BITS)) | BigInt(bytes[at]! & LOW_BITS)
    }
    return BigInt.asIntN(64, value)
  }

  #skipGroup(depth: number): void {
    for (let tag = this.next(); (tag & TYPE_MASK) !== GROUP_END; tag = this.next()) {
      if (tag === 0) throw new RangeError('a group is cut off')
      this.skip(tag, depth)
    }
  }

  /** End of the part whose length comes next. */
  #partEnd(): number {
    const length = this.#varint32()
    const end = this.#at + length
    if (end > this.#end) throw new RangeError('a field is longer than its message')
    return end
  }

  #pass(bytes: number): void {
    this.#at += bytes
    if (this.#at > this.#end) throw new RangeError('a number is cut off')
  }

  #varint32(): number {
    const byte = this.#at < this.#end ? this.#bytes[this.#at]! : MORE
    if (byte < MORE) {
      this.#at++
      return byte
    }
    let value = 0
    let shift = 0
    const start = this.#at
    this.#passVarint()
    // Bits beyond 32 are dropped, as all readers do.
    for (let at = start; at < this.#at && shift < 32; at++, shift += VARINT_BITS) {
      value |= (this.#bytes[at]! & LOW_BITS) << shift
    }
    return value >>> 0
  }

  #passVarint(): void {
    const start = this.#at
    for (;;) {
      if (this.#at >= this.#end) throw new RangeError('a varint is cut off')
      if (this.#bytes[this.#at++]! < MORE) return
      if (this.#at - start >= VARINT_BYTES_MAX) throw new RangeError('a varint is too long')
    }
  }
}
