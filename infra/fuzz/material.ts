import type { Random } from '../worlds/random.ts'

/** Longest input: formats repeat themselves beyond, and 10^5 of them must end. 16 KiB. */
export const INPUT_BYTES_MAX = 16_384

/** What inputs are changed with. */
export type Material = {
  random: Random
  /** Words of the decoder. */
  words: readonly string[]
  /** Any other input, to take pieces from. */
  other: () => Buffer
}

export const pick = <Value>(random: Random, values: readonly Value[]): Value =>
  values[random.integer(0, values.length)]!
