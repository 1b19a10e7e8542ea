import { gzipSync } from 'node:zlib'
import { Failure } from '../../../schemas/failure.ts'
import type { OutRecord } from '../log.ts'
import { crc32c } from './crc32c.ts'
import { framedBytes, varintBytes, writeBytes, writeVarint } from './framed-bytes.ts'
import { headerFrame } from './header-frame.ts'
import {
  ATTRIBUTE,
  BATCH,
  LENGTH_PREFIX_BYTES,
  MAGIC,
  RECORD_BYTES_MAX,
  writeInt64
} from './record-batch.ts'

/** First guess of a batch's size; it doubles as needed. */
const BATCH_BYTES_FIRST = 16 * 1024
/** Room for the varints and the checksum header of one record. */
const RECORD_FRAME_BYTES = 64
/** A varint of 32 bits takes at most this many bytes. */
const VARINT_BYTES_MAX = 5
const NO_PRODUCER = -1

/** About what a record takes in a batch: an upper bound when it has no headers of its own. */
export const recordBytes = (key: Uint8Array, { value, headers = {} }: OutRecord): number => {
  let bytes = key.length + (value?.length ?? 0) + RECORD_FRAME_BYTES
  for (const name in headers) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(headers[name] ?? '')
  }
  return bytes
}

/**
 * Refuses a record that no broker would take by default.
 * @throws Failure E_BODY_TOO_LARGE
 */
export const checkRecordSize = (record: OutRecord): void => {
  const valueBytes = record.value?.length ?? 0
  // No character takes more bytes than three.
  if (record.key.length * 3 + valueBytes <= RECORD_BYTES_MAX) return
  const bytes = Buffer.byteLength(record.key) + valueBytes
  if (bytes <= RECORD_BYTES_MAX) return
  throw new Failure('E_BODY_TOO_LARGE', `a record has ${bytes} bytes`, {
    hint: `Keep key and value of a record below ${RECORD_BYTES_MAX} bytes.`
  })
}

export type Codec = 'none' | 'gzip'

/** Numbers of the codecs in a batch's attributes. */
const CODEC: Readonly<Record<Codec, number>> = { none: 0, gzip: 1 }
/** Events shrink fourfold at the fastest level; higher ones cost far more than they save. */
const GZIP_LEVEL = 1

export type Seal = {
  baseOffset: number
  timeMs: number
  /** The time is the log's own, not the producer's. */
  appendedHere?: boolean
  /** Identity and place of the batch, by which a broker drops repetitions. */
  producer?: { id: number; epoch: number; sequence: number }
  codec?: Codec
}

/** Collects records into one batch. Offset and time are set when the batch is sealed. */
export class BatchWriter {
  count = 0
  #bytes = Buffer.allocUnsafeSlow(BATCH_BYTES_FIRST)
  #end: number = BATCH.records

  /** Bytes of the batch so far. */
  get length(): number {
    return this.#end
  }

  /** @param key the record's, in UTF-8. */
  add({ value, headers }: OutRecord, key: Uint8Array): void {
    const frame = headerFrame(key, value, headers)
    const offsetDelta = this.count
    // Attributes and the time delta take one byte each: both are always zero.
    const size = 2 + varintBytes(offsetDelta) + framedBytes(key) + framedBytes(value) + frame.length
    this.#reserve(size + RECORD_FRAME_BYTES)
    const bytes = this.#bytes
    let at = writeVarint(bytes, size, this.#end)
    bytes[at++] = 0
    bytes[at++] = 0
    at = writeVarint(bytes, offsetDelta, at)
    at = writeBytes(bytes, key, at)
    at = writeBytes(bytes, value, at)
    bytes.set(frame, at)
    this.#end = at + frame.length
    this.count++
  }

  /** The batch as it lies in a log; it may be sealed again, with other values. */
  seal({ baseOffset, timeMs, appendedHere = false, producer, codec = 'none' }: Seal): Buffer {
    const bytes = this.#compressed(codec)
    writeInt64(bytes, baseOffset, BATCH.baseOffset)
    bytes.writeInt32BE(bytes.length - LENGTH_PREFIX_BYTES, BATCH.length)
    bytes.writeInt32BE(0, BATCH.leaderEpoch)
    bytes[BATCH.magic] = MAGIC
    bytes.writeInt16BE(
      CODEC[codec] | (appendedHere ? ATTRIBUTE.logAppendTime : 0),
      BATCH.attributes
    )
    bytes.writeInt32BE(this.count - 1, BATCH.lastOffsetDelta)
    writeInt64(bytes, timeMs, BATCH.baseTimestamp)
    writeInt64(bytes, timeMs, BATCH.maxTimestamp)
    writeInt64(bytes, producer?.id ?? NO_PRODUCER, BATCH.producerId)
    bytes.writeInt16BE(producer?.epoch ?? NO_PRODUCER, BATCH.producerEpoch)
    bytes.writeInt32BE(producer?.sequence ?? NO_PRODUCER, BATCH.baseSequence)
    bytes.writeInt32BE(this.count, BATCH.recordCount)
    bytes.writeUInt32BE(crc32c(bytes, BATCH.attributes), BATCH.crc)
    return bytes
  }

  #compressed(codec: Codec): Buffer {
    const plain = this.#bytes.subarray(0, this.#end)
    if (codec === 'none') return plain
    const records = gzipSync(plain.subarray(BATCH.records), { level: GZIP_LEVEL })
    return Buffer.concat([plain.subarray(0, BATCH.records), records])
  }

  #reserve(extra: number): void {
    const needed = this.#end + extra + VARINT_BYTES_MAX
    if (needed <= this.#bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, needed))
    this.#bytes.copy(grown, 0, 0, this.#end)
    this.#bytes = grown
  }
}
