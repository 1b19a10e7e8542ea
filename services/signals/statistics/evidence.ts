import { clampRate } from './baseline.ts'
import { D, DROPS, SLOW_DROPS, SNAPSHOT, STATISTICS } from './rate-record.ts'

/**
 * A mixture of quasi-binomial CUSUM e-detectors (Shin, Ramdas, Rinaldo, arXiv 2203.03532). Each
 * bets on one relative drop d: with m the expected rate, m₀ = m − tolerance and m₁ = m(1−d), a
 * window with rate X adds n_eff·[X ln(m₁/m₀) + (1−X) ln((1−m₁)/(1−m₀))] nats, and the sum starts
 * again from zero. With n_eff ≤ 1 this is an e-value for any X in [0, 1] whose mean is at least
 * m₀, whatever its distribution or dependence: the average run length to a false alarm is e^lnA.
 */

/** No single window counts for more: four bad minutes can't alarm. */
const CAP_NATS = 3
/** Alternatives stay this far below the null, or the bet says nothing. */
const SEPARATION_MIN = 0.02

/** How far below the expected rate the null is pushed, per branch. */
export type Tolerance = { slow: number; fast: number }

/** One statistic of one window as the detector sees it. */
export type Reading = {
  rate: number
  expected: number
  variance: number
  inflation: number
  tolerance: Tolerance
  /** Largest number of coin flips a window may stand for; 1 makes the test dependence-free. */
  flipsMax: number
}

/** Remembers the sums at which a drop's evidence leaves zero: the change point's estimate. */
export const markRestarts = (d: Float64Array, at: number, ms: number): void => {
  const evidence = at + D.evidence
  for (let drop = 0; drop < DROPS.length; drop++) {
    if (d[evidence + drop]! > 0 || d[evidence + DROPS.length + drop]! > 0) continue
    const restart = at + D.restarts + drop * SNAPSHOT
    d[restart] = ms
    d[restart + 1] = d[at + D.totalN]!
    d[restart + 2] = d[at + D.totalW]!
    d[restart + 3] = d[at + D.totalH]!
    d[restart + 4] = d[at + D.totalCost]!
  }
}

/** Adds one statistic's window to the evidence of all drops. */
export const addEvidence = (d: Float64Array, at: number, s: number, reading: Reading): void => {
  const { rate, expected, variance, inflation, tolerance, flipsMax } = reading
  const evidence = at + D.evidence + s * DROPS.length
  const spread = expected * (1 - expected)
  for (let drop = 0; drop < DROPS.length; drop++) {
    const slow = drop < SLOW_DROPS
    const flips = Math.min(flipsMax, spread / (slow ? variance * inflation : variance))
    const null0 = clampRate(expected - (slow ? tolerance.slow : tolerance.fast))
    const below = clampRate(Math.min(expected * (1 - DROPS[drop]!), null0 - SEPARATION_MIN))
    const nats = rate * Math.log(below / null0) + (1 - rate) * Math.log((1 - below) / (1 - null0))
    const old = d[evidence + drop]!
    d[evidence + drop] = (old > 0 ? old : 0) + Math.min(CAP_NATS, flips * nats)
  }
}

/** The strongest single bet, and an upper bound of the mixture. */
export const strongestNats = (d: Float64Array, at: number): number => {
  let strongest = -Infinity
  for (let i = at + D.evidence; i < at + D.evidence + STATISTICS * DROPS.length; i++) {
    if (d[i]! > strongest) strongest = d[i]!
  }
  return strongest
}

/** ln of the mean of all bets: an average of e-detectors is one under any dependence. */
export const mixtureNats = (d: Float64Array, at: number): number => {
  const strongest = strongestNats(d, at)
  let sum = 0
  for (let i = at + D.evidence; i < at + D.evidence + STATISTICS * DROPS.length; i++) {
    sum += Math.exp(d[i]! - strongest)
  }
  return strongest + Math.log(sum / (STATISTICS * DROPS.length))
}

/** The drop that the evidence speaks for most. */
export const strongestDrop = (d: Float64Array, at: number): number => {
  let best = 0
  for (let drop = 1; drop < DROPS.length; drop++) {
    if (dropNats(d, at, drop) > dropNats(d, at, best)) best = drop
  }
  return best
}

/** Nats for one drop, by the statistic that speaks louder. */
export const dropNats = (d: Float64Array, at: number, drop: number): number =>
  Math.max(d[at + D.evidence + drop]!, d[at + D.evidence + DROPS.length + drop]!)

export const clearEvidence = (d: Float64Array, at: number): void => {
  d.fill(0, at + D.evidence, at + D.evidence + STATISTICS * DROPS.length)
}

/**
 * Nats that a window adds to the bet on a rise by `rise`, against one by half of that: how much
 * better a rate got than its baseline can follow.
 */
export const riseNats = (reading: Reading, rise: number): number => {
  const { rate, expected, variance, flipsMax } = reading
  const null0 = clampRate(expected + rise / 2)
  const above = clampRate(expected + rise)
  if (above - null0 < SEPARATION_MIN) return 0
  const flips = Math.min(flipsMax, (expected * (1 - expected)) / variance)
  const nats = rate * Math.log(above / null0) + (1 - rate) * Math.log((1 - above) / (1 - null0))
  return Math.min(CAP_NATS, flips * nats)
}

/** Nats that a window adds to the mirrored bet: the rate is back at `expected`, not at `half`. */
export const recoveryNats = (reading: Reading, half: number): number => {
  const { rate, expected, variance, flipsMax } = reading
  const low = clampRate(Math.min(half, expected - SEPARATION_MIN))
  const flips = Math.min(flipsMax, (expected * (1 - expected)) / variance)
  const nats = rate * Math.log(expected / low) + (1 - rate) * Math.log((1 - expected) / (1 - low))
  return Math.min(CAP_NATS, flips * nats)
}
