import { uncompress } from 'snappyjs'

/**
 * Snappy as Kafka's clients write it: blocks in the framing of the snappy-java library, or one
 * bare block from clients that do not frame.
 * Source: xerial/snappy-java, SnappyOutputStream.
 */
const MAGIC = Buffer.from([0x82, ...Buffer.from('SNAPPY'), 0])
/** Magic, version and least compatible version. */
const HEADER_BYTES = MAGIC.length + 8

const block = (bytes: Buffer, bytesMax: number): Buffer => {
  const plain = uncompress(bytes, bytesMax)
  return Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength)
}

const blocks = (bytes: Buffer, bytesMax: number): Buffer => {
  const plain: Buffer[] = []
  let left = bytesMax
  let at = HEADER_BYTES
  while (at < bytes.length) {
    const end = at + 4 + bytes.readUInt32BE(at)
    if (end > bytes.length) throw new RangeError('a snappy block is cut off')
    const one = block(bytes.subarray(at + 4, end), left)
    plain.push(one)
    left -= one.length
    at = end
  }
  return Buffer.concat(plain)
}

/** @throws Error when malformed or larger than `bytesMax`. */
export const decompressSnappy = (bytes: Buffer, bytesMax: number): Buffer =>
  bytes.subarray(0, MAGIC.length).equals(MAGIC) ? blocks(bytes, bytesMax) : block(bytes, bytesMax)
