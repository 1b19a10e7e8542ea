import { parsingCanonicalForm } from './canonical-form.ts'

/**
 * CRC-64-AVRO (Rabin) fingerprint of a schema, and the ten bytes that open a message in Avro's
 * single-object encoding: C3 01, then the fingerprint in little-endian order.
 * Source: Apache Avro specification, "Schema Fingerprints" and "Single-object encoding".
 */
const EMPTY = 0xc15d_213a_a4d7_a795n

/** C3 01 marks version 1 of the single-object encoding. */
const MARKER = [0xc3, 0x01]

/** Length of the marker and fingerprint in front of the body. */
export const PREFIX_BYTES = 10

const shiftOut = (value: bigint): bigint => (value & 1n ? (value >> 1n) ^ EMPTY : value >> 1n)

const TABLE = Array.from({ length: 256 }, (_, index) => {
  let value = BigInt(index)
  for (let bit = 0; bit < 8; bit++) value = shiftOut(value)
  return value
})

/** Fingerprint of a schema given as parsed JSON. */
export const fingerprint = (schema: unknown): bigint => {
  let value = EMPTY
  for (const byte of Buffer.from(parsingCanonicalForm(schema))) {
    value = (value >> 8n) ^ (TABLE[Number((value ^ BigInt(byte)) & 0xffn)] ?? 0n)
  }
  return value
}

/** The first ten bytes of every message that was written with this schema. */
export const messagePrefix = (schema: unknown): Buffer => {
  const prefix = Buffer.alloc(PREFIX_BYTES)
  prefix.set(MARKER)
  prefix.writeBigUInt64LE(fingerprint(schema), MARKER.length)
  return prefix
}
