import zlib from 'node:zlib'
import { Decompress } from 'fzstd'

/**
 * Zstandard: Node's own where it has one (22.15 and later), else a reader in JavaScript.
 * Source of the frame header: RFC 8878, section 3.1.1.1.
 */

type NativeZstd = {
  zstdDecompressSync?: (bytes: Buffer, options: { maxOutputLength: number }) => Buffer
}

const FRAME_MAGIC = 0xfd2f_b528
/** The smallest window of the format is a kilobyte (RFC 8878, 3.1.1.1.2). */
const WINDOW_LOG_MIN = 10
/** Bytes pushed at a time, so that a bomb is noticed before much of it is unpacked. */
const PUSH_BYTES = 16 * 1024

/** Bytes that a decoder has to keep at hand, as the frame claims; 0 when it does not say. */
const windowBytes = (bytes: Buffer): number => {
  if (bytes.readUInt32LE(0) !== FRAME_MAGIC) throw new RangeError('not a zstd frame')
  const descriptor = bytes.readUInt8(4)
  const isSingleSegment = (descriptor & 0x20) !== 0
  if (!isSingleSegment) {
    const window = bytes.readUInt8(5)
    const base = 2 ** (WINDOW_LOG_MIN + (window >> 3))
    return base + (base / 8) * (window & 7)
  }
  // A single segment needs as much as its content, whose size follows the dictionary id.
  const at = 5 + [0, 1, 2, 4][descriptor & 3]!
  const sizeFlag = descriptor >> 6
  if (sizeFlag === 0) return bytes.readUInt8(at)
  if (sizeFlag === 1) return bytes.readUInt16LE(at) + 256
  if (sizeFlag === 2) return bytes.readUInt32LE(at)
  return Number(bytes.readBigUInt64LE(at))
}

const tooLarge = (bytesMax: number): RangeError =>
  new RangeError(`zstd content exceeds ${bytesMax} bytes`)

const decompressInJs = (bytes: Buffer, bytesMax: number): Buffer => {
  if (windowBytes(bytes) > bytesMax) throw tooLarge(bytesMax)
  const chunks: Uint8Array[] = []
  let total = 0
  const stream = new Decompress((chunk) => {
    total += chunk.length
    if (total > bytesMax) throw tooLarge(bytesMax)
    // The decoder reuses its window, so each chunk is copied out.
    chunks.push(chunk.slice())
  })
  for (let at = 0; at < bytes.length; at += PUSH_BYTES) {
    const end = Math.min(at + PUSH_BYTES, bytes.length)
    stream.push(bytes.subarray(at, end), end === bytes.length)
  }
  return Buffer.concat(chunks, total)
}

/** @throws Error when malformed or larger than `bytesMax`. */
export const decompressZstd = (bytes: Buffer, bytesMax: number): Buffer => {
  const native = (zlib as NativeZstd).zstdDecompressSync
  return native === undefined
    ? decompressInJs(bytes, bytesMax)
    : native(bytes, { maxOutputLength: bytesMax })
}
