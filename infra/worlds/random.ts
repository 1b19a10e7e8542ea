/** Seeded randomness for worlds: the same seed gives the same world on every machine. */
export type Random = {
  /** Uniform in [0, 1). */
  uniform: () => number
  normal: () => number
  exponential: (mean: number) => number
  /** Failures until a success, from 1. */
  geometric: (p: number) => number
  poisson: (mean: number) => number
  gamma: (shape: number, scale: number) => number
  /** Whole number in [low, high). */
  integer: (low: number, high: number) => number
}

/** 32-bit state to uniform: the mixing of SplitMix, period 2³². */
export const createRandom = (seed: number): Random => {
  let state = (seed ^ 0x9e3779b9) >>> 0
  const uniform = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
  // Neighbouring seeds must not give neighbouring streams.
  for (let i = 0; i < 8; i++) uniform()
  const normal = (): number =>
    Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
  const exponential = (mean: number): number => -mean * Math.log(1 - uniform())
  return {
    uniform,
    normal,
    exponential,
    geometric: (p) => Math.floor(Math.log(1 - uniform()) / Math.log(1 - p)) + 1,
    poisson: (mean) => poisson(mean, uniform, normal),
    gamma: (shape, scale) => scale * gamma(shape, uniform, normal),
    integer: (low, high) => low + Math.floor(uniform() * (high - low))
  }
}

/** Knuth's product below this mean; a rounded normal above, where its error is under 1 %. */
const POISSON_EXACT_MAX = 60

const poisson = (mean: number, uniform: () => number, normal: () => number): number => {
  if (mean > POISSON_EXACT_MAX) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()))
  const limit = Math.exp(-mean)
  let count = 0
  for (let product = uniform(); product > limit; product *= uniform()) count += 1
  return count
}

/** Marsaglia and Tsang (2000), for shapes of at least 1. */
const gamma = (shape: number, uniform: () => number, normal: () => number): number => {
  const d = shape - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  for (;;) {
    const x = normal()
    const v = (1 + c * x) ** 3
    if (v > 0 && Math.log(1 - uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v
  }
}
