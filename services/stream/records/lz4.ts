/**
 * Reader of LZ4 frames with independent or linked blocks, checked against its bounds at each step:
 * the input is whatever a client wrote. Checksums inside the frame are skipped, since the batch
 * around it has its own.
 * Sources: lz4/lz4, doc/lz4_Frame_format.md and doc/lz4_Block_format.md.
 */

const FRAME_MAGIC = 0x184d_2204
const FLAG = { blockChecksum: 0x10, contentSize: 0x08, contentChecksum: 0x04, dictionary: 0x01 }
/** High bit of a block's size: the block is stored as it is. */
const STORED = 0x8000_0000
const LITERALS_MORE = 15
const MATCH_MORE = 15
const MATCH_LENGTH_MIN = 4
/** First guess of how much larger the plain bytes are. */
const GROWTH_FIRST = 4

class Output {
  bytes: Buffer
  length = 0
  readonly #max: number

  constructor(first: number, max: number) {
    this.bytes = Buffer.allocUnsafeSlow(Math.min(first, max))
    this.#max = max
  }

  reserve(extra: number): void {
    const needed = this.length + extra
    if (needed > this.#max) throw new RangeError(`lz4 content exceeds ${this.#max} bytes`)
    if (needed <= this.bytes.length) return
    const grown = Buffer.allocUnsafeSlow(
      Math.min(Math.max(needed, this.bytes.length * 2), this.#max)
    )
    this.bytes.copy(grown, 0, 0, this.length)
    this.bytes = grown
  }

  literals(source: Buffer, start: number, end: number): void {
    if (end > source.length) throw new RangeError('lz4 literals are cut off')
    this.reserve(end - start)
    source.copy(this.bytes, this.length, start, end)
    this.length += end - start
  }

  match(distance: number, length: number): void {
    const from = this.length - distance
    if (distance === 0 || from < 0) throw new RangeError('lz4 match lies before the start')
    this.reserve(length)
    const { bytes } = this
    let to = this.length
    // A match may overlap what it writes, so bytes go one by one.
    for (let at = from; at < from + length; at++) bytes[to++] = bytes[at]!
    this.length = to
  }
}

class BlockReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  readInto(output: Output): void {
    while (this.#at < this.#bytes.length) {
      const token = this.#byte()
      const literals = this.#length(token >> 4, LITERALS_MORE)
      output.literals(this.#bytes, this.#at, this.#at + literals)
      this.#at += literals
      // The last sequence of a block has literals only.
      if (this.#at === this.#bytes.length) return
      const distance = this.#byte() | (this.#byte() << 8)
      output.match(distance, this.#length(token & 0x0f, MATCH_MORE) + MATCH_LENGTH_MIN)
    }
  }

  #byte(): number {
    const value = this.#bytes[this.#at++]
    if (value === undefined) throw new RangeError('an lz4 block is cut off')
    return value
  }

  #length(nibble: number, more: number): number {
    let length = nibble
    if (nibble !== more) return length
    let extra = 0xff
    while (extra === 0xff) {
      extra = this.#byte()
      length += extra
    }
    return length
  }
}

/** Offset of the first block behind the frame's header. */
const headerEnd = (flags: number): number =>
  7 + (flags & FLAG.contentSize ? 8 : 0) + (flags & FLAG.dictionary ? 4 : 0)

/** @throws Error when malformed or larger than `bytesMax`. */
export const decompressLz4 = (bytes: Buffer, bytesMax: number): Buffer => {
  if (bytes.readUInt32LE(0) !== FRAME_MAGIC) throw new RangeError('not an lz4 frame')
  const flags = bytes.readUInt8(4)
  const checksumBytes = flags & FLAG.blockChecksum ? 4 : 0
  const output = new Output(bytes.length * GROWTH_FIRST, bytesMax)
  let at = headerEnd(flags)
  for (let size = bytes.readUInt32LE(at); size !== 0; size = bytes.readUInt32LE(at)) {
    const isStored = size >= STORED
    const start = at + 4
    const end = start + (isStored ? size - STORED : size)
    if (end > bytes.length) throw new RangeError('an lz4 frame is cut off')
    if (isStored) output.literals(bytes, start, end)
    else new BlockReader(bytes.subarray(start, end)).readInto(output)
    at = end + checksumBytes
  }
  return output.bytes.subarray(0, output.length)
}
