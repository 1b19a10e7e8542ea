import { SURPRISE_BINS } from './level-record.ts'

/** A histogram of sizes by powers of 2^(1/3) of a unit, from a millionth of it on; bounded memory. */

const BINS_PER_DOUBLING = 3
/** Sizes below 2^-5 of the unit are nothing, above 2^8 of it all alike. */
const UNIT_BIN = 15
/** Beyond this many points the oldest half of the memory fades. */
const POINTS_MAX = 8_000

export const binOf = (size: number, unit: number): number => {
  if (!(size > 0) || !(unit > 0)) return 0
  const bin = Math.ceil(Math.log2(size / unit) * BINS_PER_DOUBLING) + UNIT_BIN
  return Math.min(SURPRISE_BINS - 1, Math.max(0, bin))
}

export const addSize = (bins: Float32Array, at: number, bin: number): void => {
  bins[at + bin]! += 1
  if (countFrom(bins, at, 0) <= POINTS_MAX) return
  for (let i = at; i < at + SURPRISE_BINS; i++) bins[i]! /= 2
}

/** Points in a bin or above. */
export const countFrom = (bins: Float32Array, at: number, bin: number): number => {
  let count = 0
  for (let i = at + bin; i < at + SURPRISE_BINS; i++) count += bins[i]!
  return count
}

/** Median size; 0 when nothing is known. */
export const medianSize = (bins: Float32Array, at: number, unit: number): number => {
  const half = countFrom(bins, at, 0) / 2
  let below = 0
  for (let bin = 0; bin < SURPRISE_BINS; bin++) {
    const count = bins[at + bin]!
    if (count > 0 && below + count >= half) {
      const within = (half - below) / count
      return bin === 0 ? 0 : unit * 2 ** ((bin - UNIT_BIN - 1 + within) / BINS_PER_DOUBLING)
    }
    below += count
  }
  return 0
}
