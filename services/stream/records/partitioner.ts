/**
 * The partition of a key as Kafka's own clients choose it: 32-bit MurmurHash2 of the UTF-8 key,
 * sign bit off, modulo the partitions. So a key lands alike whoever wrote it and in whichever log.
 * Source: Apache Kafka, org.apache.kafka.common.utils.Utils#murmur2.
 */

const SEED = 0x9747_b28c
const MULTIPLIER = 0x5bd1_e995

const mixTail = (bytes: Uint8Array, hash: number): number => {
  const tail = bytes.length & ~3
  let mixed = hash
  for (let index = bytes.length - 1; index >= tail; index--) {
    mixed ^= (bytes[index] ?? 0) << (8 * (index - tail))
  }
  return tail === bytes.length ? mixed : Math.imul(mixed, MULTIPLIER)
}

/** MurmurHash2 of bytes, as a signed integer. */
export const murmur2 = (bytes: Uint8Array): number => {
  let hash = SEED ^ bytes.length
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    let word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    word = Math.imul(word, MULTIPLIER)
    word = Math.imul(word ^ (word >>> 24), MULTIPLIER)
    hash = Math.imul(hash, MULTIPLIER) ^ word
  }
  hash = mixTail(bytes, hash)
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER)
  return hash ^ (hash >>> 15)
}

/** Partition of a key, as text or in UTF-8, among `partitions`. */
export const partitionOf = (key: string | Uint8Array, partitions: number): number =>
  (murmur2(typeof key === 'string' ? Buffer.from(key) : key) & 0x7fff_ffff) % partitions
