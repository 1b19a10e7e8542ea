/**
 * What values a series usually has, in a fixed number of floats: first the raw values, then, once
 * those are full, the bins between their quantiles with a count each. A new value becomes a normal
 * score: how many standard deviations from usual its rank is. Any monotone scale gives the same
 * score, so logits, probabilities and 10⁸ are alike; heavy tails can't shout.
 */

/** Values kept raw; half as many bins follow. */
export const REFERENCE_VALUES = 48
const BINS = REFERENCE_VALUES / 2
/** Counts above this are halved, so that the reference follows over days. */
const COUNT_MAX = 400
/** The step from a float to the next, relative to it. */
const BELOW = 2 ** -22

/** A float next to 0. */
const MIN_FLOAT = 1e-38

/** Where the reference of one quantity lies in an array of floats. */
export type Reference = { floats: Float32Array; at: number }

/** Adds a value to a reference that has `known` values so far (raw values beyond 48 are binned). */
export const learnValue = ({ floats, at }: Reference, known: number, value: number): void => {
  if (known < REFERENCE_VALUES) {
    floats[at + known] = value
    if (known === REFERENCE_VALUES - 1) toBins(floats, at)
    return
  }
  const count = at + BINS + binOf(floats, at, value)
  floats[count]! += 1
  if (floats[count]! > COUNT_MAX) for (let i = 0; i < BINS; i++) floats[at + BINS + i]! /= 2
}

/**
 * Quantiles of the raw values become the edges of the inner bins; the outer two take what is below
 * or above all of them, so that another scale is told even from a value that never changes.
 */
const toBins = (floats: Float32Array, at: number): void => {
  const sorted = floats.slice(at, at + REFERENCE_VALUES).sort()
  const inner = BINS - 2
  floats[at] = sorted[0]! - Math.abs(sorted[0]!) * BELOW - MIN_FLOAT
  for (let bin = 1; bin <= inner; bin++) {
    floats[at + bin] = sorted[Math.ceil((bin * REFERENCE_VALUES) / inner) - 1]!
  }
  floats[at + BINS - 1] = Infinity
  floats.fill(0, at + BINS, at + REFERENCE_VALUES)
  for (const value of sorted) floats[at + BINS + binOf(floats, at, value)]! += 1
}

const binOf = (floats: Float32Array, at: number, value: number): number => {
  const rounded = Math.fround(value)
  let bin = 0
  while (bin < BINS - 1 && rounded > floats[at + bin]!) bin++
  return bin
}

/** Normal score of a value against a reference with `known` values; 0 in the middle. */
export const normalScore = ({ floats, at }: Reference, known: number, value: number): number => {
  let below = 0
  let equal = 0
  let all = 0
  if (known < REFERENCE_VALUES) {
    const rounded = Math.fround(value)
    for (let i = at; i < at + known; i++) {
      if (floats[i]! < rounded) below += 1
      else if (floats[i] === rounded) equal += 1
    }
    all = known
  } else {
    const own = binOf(floats, at, value)
    for (let bin = 0; bin < BINS; bin++) {
      const count = floats[at + BINS + bin]!
      all += count
      if (bin < own) below += count
      if (bin === own) equal = count
    }
  }
  return quantile((below + (equal + 1) / 2) / (all + 1))
}

/** Standard normal quantile by Acklam's rational approximation, relative error 1e-9. */
export const quantile = (p: number): number => {
  if (p < LOW) return -tail(Math.sqrt(-2 * Math.log(p)))
  if (p > 1 - LOW) return tail(Math.sqrt(-2 * Math.log(1 - p)))
  const q = p - 0.5
  const r = q * q
  return (q * polynomial(A, r)) / (polynomial(B, r) * r + 1)
}

const LOW = 0.02425
const A = [
  -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716,
  2.506628277459239
]
const B = [
  -54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572
]
const C = [
  -0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734,
  4.374664141464968, 2.938163982698783
]
const DENOMINATOR = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416]

const polynomial = (coefficients: readonly number[], x: number): number =>
  coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0)

const tail = (q: number): number => -polynomial(C, q) / (polynomial(DENOMINATOR, q) * q + 1)
