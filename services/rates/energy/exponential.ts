/**
 * e^x, in half the time of `Math.exp`: what an engine calls a function for is written out here,
 * and a table of steps leaves a polynomial of five terms. It differs by at most an ulp or two (5e-16).
 */
export const exp = (x: number): number => {
  if (!(x > -NEAR_MAX && x < NEAR_MAX)) return Math.exp(x)
  const steps = x * STEPS_PER_UNIT + ROUNDER - ROUNDER
  // Exact, since a step is a power of 2.
  const rest = x - steps * STEP
  // In two halves that do not wait for each other.
  const square = rest * rest
  const grown = rest + square * (1 / 2 + rest * (1 / 6) + square * (1 / 24 + rest * (1 / 120)))
  // Cut to 32 bits, or the engine checks that it is a whole number.
  const near = NEAR[(steps + STEPS_BELOW) | 0]!
  return near + near * grown
}

/** Exponents into shares of what they are of, in place; what is none, or is not known, stays so. */
export const scaleByExp = (exponents: Float64Array, of: Float64Array, rows: number): void => {
  for (let at = 0; at < rows; at += 1) exponents[at] = of[at]! * exp(exponents[at]!)
}

/** e^16 is nine million: factors of energy, batches and shares lie within it. */
const NEAR_MAX = 16
/** So many that five terms are enough, so few that those in use stay in the processor's nearest memory. */
const STEPS_PER_UNIT = 128
const STEP = 1 / STEPS_PER_UNIT
const STEPS_BELOW = NEAR_MAX * STEPS_PER_UNIT
/** Adding and taking off 1.5 · 2^52 leaves the nearest whole number. */
const ROUNDER = 1.5 * 2 ** 52
const NEAR = Float64Array.from({ length: 2 * STEPS_BELOW + 1 }, (_, at) =>
  Math.exp((at - STEPS_BELOW) * STEP)
)
