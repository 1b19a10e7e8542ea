/**
 * Layout of a Kafka record batch of version 2 ("magic 2"). Both logs keep records in it, so one
 * writer and one reader serve both. All integers are big-endian.
 * Source: Apache Kafka documentation, "Record Batch".
 */
export const BATCH = {
  baseOffset: 0,
  /** Length of what follows this field. */
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  /** The checksum covers everything from here on. */
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
  records: 61
} as const

/** Bytes in front of those that the length field counts. */
export const LENGTH_PREFIX_BYTES = 12
export const MAGIC = 2

export const ATTRIBUTE = {
  compressionMask: 0x07,
  logAppendTime: 0x08,
  transactional: 0x10,
  control: 0x20
} as const

/** Name of the header that carries the CRC-32C of key and value as eight hexadecimal digits. */
export const CHECKSUM_HEADER = 'crc32c'
export const CHECKSUM_DIGITS = 8
/** What stands before the digits: the lengths of name and value are varints of one byte. */
export const CHECKSUM_FRAME = Buffer.concat([
  Buffer.from([CHECKSUM_HEADER.length * 2]),
  Buffer.from(CHECKSUM_HEADER),
  Buffer.from([CHECKSUM_DIGITS * 2])
])

/**
 * Largest key and value of one record together. A broker refuses batches over 1 MiB by default;
 * the difference is room for headers and framing.
 */
export const RECORD_BYTES_MAX = 1_000_000

/** Reads a 64-bit integer that is known to stay below 2^53. */
export const readInt64 = (bytes: Buffer, at: number): number =>
  bytes.readInt32BE(at) * 0x1_0000_0000 + bytes.readUInt32BE(at + 4)

export const writeInt64 = (bytes: Buffer, value: number, at: number): void => {
  bytes.writeInt32BE(Math.floor(value / 0x1_0000_0000), at)
  bytes.writeUInt32BE(value >>> 0, at + 4)
}
