/** Seeded chance: the same seed gives the same demo on every machine. */
export type Chance = {
  /** Uniform in [0, 1). */
  uniform: () => number
  /** Whether something of this probability happens. */
  is: (probability: number) => boolean
  /** A whole number about `median`, as token counts and durations spread. */
  around: (median: number) => number
}

/** Spread of the logarithm: nine in ten lie between half and twice the median. */
const SPREAD = 0.4

/** 32 bits of state, mixed as SplitMix does. */
export const createChance = (seed: number): Chance => {
  let state = seed >>> 0
  const uniform = (): number => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32
  }
  const normal = (): number =>
    Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
  return {
    uniform,
    is: (probability) => uniform() < probability,
    around: (median) => Math.max(1, Math.round(median * Math.exp(SPREAD * normal())))
  }
}
