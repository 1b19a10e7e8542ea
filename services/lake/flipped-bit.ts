import { crc32c } from '@node-rs/crc32'
import { sealOf, type Seal } from './seal.ts'

/** Of CRC-32C, reflected. */
const POLYNOMIAL = 0x82f6_3b78
const LAST_BIT = 7

/**
 * The bytes with the one bit set right that flipped since they were sealed; null when more than
 * one did, or the length changed. A checksum is linear: what one flipped bit does to it depends on
 * its distance from the end alone, so one walk over all distances finds it (about 10 ns a byte),
 * and the hash then proves it.
 */
export const withFlippedBitRight = (bytes: Uint8Array, seal: Seal): Uint8Array | null => {
  if (bytes.length !== seal.bytes) return null
  const effect = (crc32c(bytes) ^ seal.crc32c) >>> 0
  if (effect === 0) return null
  let state = POLYNOMIAL
  for (let fromEnd = 0; fromEnd < bytes.length * 8; fromEnd++) {
    if (state >>> 0 === effect) {
      const whole = flipped(
        bytes,
        bytes.length - 1 - (fromEnd >> 3),
        LAST_BIT - (fromEnd & LAST_BIT)
      )
      return sealOf(whole).sha256 === seal.sha256 ? whole : null
    }
    state = state & 1 ? (state >>> 1) ^ POLYNOMIAL : state >>> 1
  }
  return null
}

/** A copy with one bit changed. */
export const flipped = (bytes: Uint8Array, at: number, bit: number): Uint8Array => {
  const copy = Uint8Array.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ (1 << bit)
  return copy
}
