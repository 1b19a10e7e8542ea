/**
 * Watches normal scores for a lasting shift of their mean, either way: six CUSUM e-detectors, each
 * betting on a shift `a` beyond a tolerance t. A score z adds a·(|shift direction|·z − t) − a²/2
 * nats, and the sum starts again from zero. While the mean is within ±t and z is no wilder than a
 * normal, exp of the sum is an e-detector: the run length to a false alarm is e^nats.
 */

const SHIFTS = [0.15, 0.5, 1.5] as const
export const SHIFT_BETS = 2 * SHIFTS.length
/** Bets on the first ones need hours, in which scores move together. */
const LASTING = 2
/** No score counts for more: three odd queries can't alarm. */
const CAP_NATS = 2

export type ShiftReading = {
  z: number
  /** How far the mean may wander without anything being wrong. */
  tolerance: number
  /** Variance of sums of scores against independence: divides the evidence of lasting bets. */
  inflation: number
}

/** Adds one score to the bets at `at`. */
export const addShift = (evidence: Float32Array, at: number, reading: ShiftReading): void => {
  const { z, tolerance, inflation } = reading
  for (const [index, shift] of SHIFTS.entries()) {
    for (const side of [0, 1]) {
      const bet = at + 2 * index + side
      const nats = shift * ((side === 0 ? z : -z) - tolerance) - (shift * shift) / 2
      const counted = Math.min(CAP_NATS, index < LASTING ? nats / inflation : nats)
      evidence[bet] = Math.max(0, evidence[bet]! + counted)
    }
  }
}

export const strongestShift = (evidence: Float32Array, at: number): number => {
  let strongest = 0
  for (let bet = at; bet < at + SHIFT_BETS; bet++) strongest = Math.max(strongest, evidence[bet]!)
  return strongest
}

/** Nats up to which a bet on a small shift is noise. */
const NOISE_NATS = 3

/** Whether a change may be under way: a bet on a large shift stands, or one on a small one is loud. */
export const shiftStands = (evidence: Float32Array, at: number): boolean => {
  for (let bet = at; bet < at + SHIFT_BETS; bet++) {
    if (evidence[bet]! > (bet < at + 2 ? NOISE_NATS : 0)) return true
  }
  return false
}
