import { median } from './ratio-price.ts'

/** One day's part of a whole, and the variance of the part. */
export type Share = { part: number; whole: number; variance: number }

/** A day this many standard errors off counts half: some days hold one very large call. */
const HALF_AT = 2
/** Rounds of weighting; the weights hardly move after a few. */
const ROUNDS = 8

/** The ratio that all shares have in common: days weigh by how exact they are and how near. */
export const middleRatio = (shares: readonly Share[]): number => {
  const told = shares.filter(({ whole, variance }) => whole > 0 && variance > 0)
  if (told.length === 0) return 0
  let ratio = median(told.map(({ part, whole }) => part / whole))
  for (let round = 0; round < ROUNDS; round += 1) {
    let [sum, total] = [0, 0]
    for (const { part, whole, variance } of told) {
      const z2 = (part - ratio * whole) ** 2 / variance
      const weight = whole ** 2 / variance / (1 + z2 / HALF_AT ** 2)
      sum += weight * (part / whole)
      total += weight
    }
    ratio = sum / total
  }
  return ratio
}
