/**
 * Texts that are only compared (conversations, traces, steps) as whole numbers that a double holds:
 * 53 bits of the database's hash, or 52 of ours.
 */

const LOW_BITS = 2 ** 32
const HIGH_BITS = 2 ** 20

/** Spreads 32 bits over themselves: the last step of MurmurHash3. */
const mixed = (hash: number): number => {
  const once = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35)
  return (twice ^ (twice >>> 16)) >>> 0
}

/** 52 bits of a hash: FNV-1a twice, each with a final mix. */
export const identityOf = (...words: readonly string[]): number => {
  let [low, high] = [0x811c9dc5, 0x9747b28c]
  for (const word of words) {
    for (let i = 0; i <= word.length; i++) {
      // Past the end comes a separator, which no word holds.
      const code = i < word.length ? word.charCodeAt(i) : 0x1f
      low = Math.imul(low ^ code, 0x01000193)
      high = Math.imul(high ^ code, 0x5bd1e995)
    }
  }
  return (mixed(high) % HIGH_BITS) * LOW_BITS + mixed(low)
}

/** The identity of a pair; the order matters. */
export const pairIdentity = (first: number, second: number): number => {
  const low = mixed(Math.imul(first | 0, 0x9e3779b1) ^ (second | 0))
  const high =
    Math.imul(first / LOW_BITS, 0x85ebca77) ^ (second / LOW_BITS) ^ Math.imul(low, 0xc2b2ae3d)
  return (mixed(high) % HIGH_BITS) * LOW_BITS + low
}
