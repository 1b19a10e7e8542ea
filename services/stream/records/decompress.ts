import zlib from 'node:zlib'
import { decompressLz4 } from './lz4.ts'
import { decompressSnappy } from './snappy.ts'
import { decompressZstd } from './zstd.ts'

/**
 * Largest plain size of one compressed batch. Brokers bound the compressed size (1 MiB unless
 * configured), and real events shrink four- to tenfold, so 64 MiB only stops bombs.
 */
export const PLAIN_BYTES_MAX = 64 * 1024 * 1024

type Decompress = (bytes: Buffer, bytesMax: number) => Buffer

const gunzip: Decompress = (bytes, bytesMax) =>
  zlib.gunzipSync(bytes, { maxOutputLength: bytesMax })

/** By the codec number in a batch's attributes; 0 is plain. */
const CODECS: Readonly<Record<number, Decompress>> = {
  1: gunzip,
  2: decompressSnappy,
  3: decompressLz4,
  4: decompressZstd
}

/**
 * The plain bytes of a batch's records.
 * @throws Error of any kind when they are malformed or exceed `PLAIN_BYTES_MAX`.
 */
export const decompress = (codec: number, bytes: Buffer): Buffer => {
  const run = CODECS[codec]
  if (run === undefined) throw new RangeError(`codec ${codec} is not one of Kafka's`)
  return run(bytes, PLAIN_BYTES_MAX)
}
