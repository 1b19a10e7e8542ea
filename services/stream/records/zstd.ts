import zlib from 'node:zlib'
import { ZSTDDecoder } from 'zstddec'

/**
 * Zstandard: Node's own where it has one (22.15 and later), else the reference library as WebAssembly,
 * which never writes beyond the room that it is given.
 */

type Decompress = (bytes: Buffer, bytesMax: number) => Buffer

type NativeZstd = {
  zstdDecompressSync?: (bytes: Buffer, options: { maxOutputLength: number }) => Buffer
}

/** Room to begin with: bytes, and as a multiple of the compressed ones, which is enough for most events. */
const ROOM_MIN = 4096
const ROOM_FACTOR = 16
/** Frames of streams don't say how long their content is: what lacks room is read again with more. */
const GROWTH = 8

const openDecoder = async (): Promise<Decompress> => {
  const decoder = new ZSTDDecoder()
  await decoder.init()
  return (bytes, bytesMax) => {
    for (let room = Math.max(ROOM_MIN, ROOM_FACTOR * bytes.length); ; room *= GROWTH) {
      // A fault of any kind, lack of room among them, comes as nothing at all.
      const plain = decoder.decode(bytes, Math.min(room, bytesMax))
      if (plain.length > 0) return Buffer.from(plain.buffer, plain.byteOffset, plain.length)
      if (room >= bytesMax) {
        throw new RangeError(`zstd content is malformed, or not of 1 to ${bytesMax} bytes`)
      }
    }
  }
}

const native = (zlib as NativeZstd).zstdDecompressSync

/** @throws Error when malformed or larger than `bytesMax`; empty content may pass for malformed. */
export const decompressZstd: Decompress =
  native === undefined
    ? await openDecoder()
    : (bytes, maxOutputLength) => native(bytes, { maxOutputLength })
