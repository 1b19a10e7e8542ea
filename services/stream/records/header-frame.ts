import type { OutRecord } from '../log.ts'
import { crc32c } from './crc32c.ts'
import { framedBytes, varintBytes, writeBytes, writeVarint } from './framed-bytes.ts'
import { CHECKSUM_DIGITS, CHECKSUM_FRAME, CHECKSUM_HEADER } from './record-batch.ts'

const HEX = Buffer.from('0123456789abcdef')
const NIBBLE_BITS = 4
const NIBBLE = 0xf

/** Nearly every record has our checksum and no other header: one frame is used again for all. */
const checksumFrame = Buffer.concat([
  Buffer.from([2]),
  CHECKSUM_FRAME,
  Buffer.alloc(CHECKSUM_DIGITS)
])

/** CRC-32C of key and value. */
const checksumOf = (key: Uint8Array, value: Uint8Array | null): number =>
  value === null ? crc32c(key) : crc32c(value, 0, value.length, crc32c(key))

/**
 * The headers of a record as they lie in a batch, their count before them; the checksum is added
 * where it is not given. Good until the next call.
 */
export const headerFrame = (
  key: Uint8Array,
  value: Uint8Array | null,
  given: OutRecord['headers']
): Uint8Array => {
  if (given !== undefined && CHECKSUM_HEADER in given) return frameOf(given)
  let rest = checksumOf(key, value)
  for (let at = checksumFrame.length - 1; at >= checksumFrame.length - CHECKSUM_DIGITS; at--) {
    checksumFrame[at] = HEX[rest & NIBBLE]!
    rest >>>= NIBBLE_BITS
  }
  if (given === undefined) return checksumFrame
  const digits = checksumFrame.toString('latin1', checksumFrame.length - CHECKSUM_DIGITS)
  return frameOf({ [CHECKSUM_HEADER]: digits, ...given })
}

const frameOf = (headers: Readonly<Record<string, string>>): Uint8Array => {
  const entries = Object.entries(headers)
  const parts = entries.flat().map((text) => Buffer.from(text))
  const size = parts.reduce((sum, part) => sum + framedBytes(part), varintBytes(entries.length))
  const frame = Buffer.allocUnsafe(size)
  let at = writeVarint(frame, entries.length, 0)
  for (const part of parts) at = writeBytes(frame, part, at)
  return frame
}
