import { D, type Sample } from './rate-record.ts'
import { addRecord, createRecords, layout, type Records } from './records.ts'

/**
 * How far the days of a series stray from their baseline, beyond what sampling explains: a rate
 * that wanders from day to day leaves the baseline behind by more than its standard error, and to
 * bet against a null that is so wrong ends in a finding, however slow the drift. The mean square of
 * the days' residuals, less their sampling variance, is the variance by which the null gives way.
 */

/** Memory of ten days: a tenant that came to rest is believed again within weeks. */
const DECAY_PER_DAY = 0.9
/** Before days are known: 1.5 points, as days of ordinary tenants; five days weigh as much. */
const PRIOR_VARIANCE = 0.015 ** 2
const PRIOR_DAYS = 5
/**
 * Of a random walk's distance to a level of half-life 2 days, what one day's step makes: with decay
 * 0.7 it is 1 − 0.7², or half.
 */
const STEP_SHARE = 0.5
/** Residuals beyond this many standard deviations are cut: a bad day must not hide the next. */
const WINSOR_SD = 3
/** Days are compared by the mean of the events' own ratios, which is the less noisy statistic. */
export const MEAN = 1

const fields = layout({
  /** The running day: Σ n·residual, Σ n, Σ n²·variance. */
  residual: 1,
  weight: 1,
  sampling: 1,
  /** Over days: decayed sums of residual² beyond sampling, and of how much each day could tell. */
  excess: 1,
  days: 1
})

const E = fields.at
export const DAY_ERROR_SHAPE = { doubles: fields.length, floats: 0, bytes: 0 }

export const createDayErrors = (): Records => createRecords(DAY_ERROR_SHAPE)

export const addDayError = (records: Records): number => addRecord(records)

/**
 * Variance of a day's true rate around its baseline; `suspectDays` after a bet began, the rate may
 * have wandered on since, while what was under suspicion taught the baseline nothing.
 */
export const dayVariance = (
  { doubles: e, shape }: Records,
  slot: number,
  suspectDays = 0
): number => {
  const at = slot * shape.doubles
  const sum = e[at + E.excess]! + PRIOR_DAYS * PRIOR_VARIANCE
  const variance = Math.max(0, sum / (e[at + E.days]! + PRIOR_DAYS))
  return variance * (1 + STEP_SHARE * suspectDays)
}

/** Adds a window whose rate is off by `residual`, with that `variance` by sampling. */
export const learnDayError = (
  { doubles: e, shape }: Records,
  slot: number,
  { n }: Sample,
  { residual, variance }: { residual: number; variance: number }
): void => {
  const at = slot * shape.doubles
  e[at + E.residual]! += n * residual
  e[at + E.weight]! += n
  e[at + E.sampling]! += n * n * variance
}

/** At midnight, before the baseline learns the day: `d` and `at` are the rate's record. */
export const closeErrorDay = (
  records: Records,
  slot: number,
  d: Float64Array,
  at: number
): void => {
  const { doubles: e, shape } = records
  const own = slot * shape.doubles
  const weight = e[own + E.weight]!
  if (weight === 0) return
  const sampling =
    (d[at + MEAN + D.inflation]! * e[own + E.sampling]!) / (weight * weight) +
    d[at + MEAN + D.levelError]! ** 2
  const bound = WINSOR_SD * Math.sqrt(sampling + dayVariance(records, slot))
  const residual = Math.min(bound, Math.max(-bound, e[own + E.residual]! / weight))
  // A day whose sampling noise drowns what is looked for tells nothing, and counts for nothing.
  const trust = (PRIOR_VARIANCE / (PRIOR_VARIANCE + sampling)) ** 2
  e[own + E.excess] = DECAY_PER_DAY * e[own + E.excess]! + trust * (residual * residual - sampling)
  e[own + E.days] = DECAY_PER_DAY * e[own + E.days]! + trust
  e.fill(0, own + E.residual, own + E.sampling + 1)
}
