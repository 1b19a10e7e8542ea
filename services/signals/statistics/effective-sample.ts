import { D, STATISTICS } from './rate-record.ts'

/**
 * How many independent coin flips a window is worth. The variance of a window's rate is modelled
 * as v = s_b² + s_r²·κ, where κ = Σw²/(Σw)² (or 1/n) shrinks with traffic; both parts are learned
 * per series from squared residuals, so clustered sessions and drifting tenants are priced in.
 */

/** Residuals beyond this many standard deviations are cut: one incident must not teach noise. */
const WINSOR_SD = 3
/** Days before cutting starts, since the first variances are guesses. */
const WINSOR_AFTER_DAYS = 3
/** A window's residual pairs with the one before when at most this far apart. */
const NEIGHBOUR_MINUTES = 3
/** Windows in a batch: long enough to see noise that persists over minutes. */
const BATCH_WINDOWS = 16
/** Decay per day of everything learned about variance: half-life 6.6 days. */
const DECAY_PER_DAY = 0.9
/** Windows, neighbours and batches needed before an estimate replaces its default. */
const MOMENTS_MIN = 50
const NEIGHBOURS_MIN = 100
const BATCHES_MIN = 4
/** Per-request variance of a series that nobody knows yet: sessions that hit or miss as one. */
export const VARIANCE_REQUEST_DEFAULT = 0.15
/** No rate of real requests is steadier than this. */
const VARIANCE_REQUEST_MIN = 0.01
/** Share of the variance's memory that the level's shorter memory spans. */
const LEVEL_SHARE = 0.33

export const initVariance = (d: Float64Array, at: number): void => {
  for (let s = 0; s < STATISTICS; s++) {
    d[at + D.varianceRequest + s] = VARIANCE_REQUEST_DEFAULT
    d[at + D.inflation + s] = 1
  }
}

/** Predictive variance of a window with concentration κ. */
export const variance = (d: Float64Array, at: number, kappa: number): number =>
  (d[at + D.varianceBetween] ?? 0) + (d[at + D.varianceRequest] ?? 0) * kappa

/** What a window teaches about variance; `at` is already shifted to the statistic. */
export const learnVariance = (
  d: Float64Array,
  at: number,
  residual: number,
  kappa: number
): void => {
  d[at + D.momentN]! += 1
  d[at + D.momentK]! += kappa
  d[at + D.momentKK]! += kappa * kappa
  d[at + D.momentR]! += residual * residual
  d[at + D.momentKR]! += kappa * residual * residual
  d[at + D.batchSum]! += residual / Math.sqrt(variance(d, at, kappa))
  d[at + D.batchN]! += 1
  if (d[at + D.batchN]! < BATCH_WINDOWS) return
  d[at + D.inflationSum]! += d[at + D.batchSum]! ** 2 / BATCH_WINDOWS
  d[at + D.inflationN]! += 1
  d[at + D.batchSum] = 0
  d[at + D.batchN] = 0
}

/** Latent noise that persists shows as products of neighbouring residuals. */
export const learnNeighbour = (
  d: Float64Array,
  at: number,
  residual: number,
  minutesApart: number
): void => {
  if (minutesApart <= NEIGHBOUR_MINUTES) {
    d[at + D.lagSum]! += residual * d[at + D.lagPrevious]!
    d[at + D.lagN]! += 1
  }
  d[at + D.lagPrevious] = residual
}

export const winsorise = (residual: number, sd: number, days: number): number =>
  days < WINSOR_AFTER_DAYS
    ? residual
    : Math.min(WINSOR_SD * sd, Math.max(-WINSOR_SD * sd, residual))

/** Once a day: turns the moments into the variances that the next day uses, and ages them. */
export const closeVarianceDay = (d: Float64Array, at: number): void => {
  for (let s = at; s < at + STATISTICS; s++) {
    deriveVariance(d, s)
    ageVariance(d, s)
    d[s + D.levelError] = levelError(d, s)
  }
}

const deriveVariance = (d: Float64Array, at: number): void => {
  const n = d[at + D.momentN]!
  if (n <= MOMENTS_MIN) return
  const [k, kk, r, kr] = [D.momentK, D.momentKK, D.momentR, D.momentKR].map((o) => d[at + o]!) as [
    number,
    number,
    number,
    number
  ]
  const determinant = n * kk - k * k
  let perRequest = determinant > 1e-9 ? (n * kr - k * r) / determinant : kr / kk
  let between = determinant > 1e-9 ? (r - perRequest * k) / n : 0
  if (between < 0) [between, perRequest] = [0, kr / kk]
  if (perRequest < 0) [between, perRequest] = [r / n, 0]
  d[at + D.varianceBetween] = between
  d[at + D.varianceRequest] = Math.max(perRequest, VARIANCE_REQUEST_MIN)
  if (d[at + D.lagN]! > NEIGHBOURS_MIN) {
    d[at + D.varianceLatent] = Math.max(0, d[at + D.lagSum]! / d[at + D.lagN]!)
  }
  if (d[at + D.inflationN]! > BATCHES_MIN) {
    d[at + D.inflation] = Math.max(1, d[at + D.inflationSum]! / d[at + D.inflationN]!)
  }
}

const AGEING = [
  D.momentN,
  D.momentK,
  D.momentKK,
  D.momentR,
  D.momentKR,
  D.inflationSum,
  D.inflationN,
  D.lagSum,
  D.lagN
]

const ageVariance = (d: Float64Array, at: number): void => {
  for (const offset of AGEING) d[at + offset]! *= DECAY_PER_DAY
}

/** Standard error of the learned level, dependence included. */
const levelError = (d: Float64Array, at: number): number => {
  const n = d[at + D.momentN]!
  const kappa = n > 0 ? d[at + D.momentK]! / n : 1
  return Math.sqrt((variance(d, at, kappa) / Math.max(n * LEVEL_SHARE, 1)) * d[at + D.inflation]!)
}
