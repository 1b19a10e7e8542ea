import { WAVE_END } from './wave.ts'

/**
 * What counts as slow: longer than the time that about 85 % of the first day's calls took. It is
 * fixed then, and the baseline learns at which hours how many calls are slower, so that no
 * distribution is assumed. Durations come in steps of 10 % (five bins of the windows' histogram).
 */

const N = WAVE_END
const SUM = WAVE_END + 1
const SQUARES = WAVE_END + 2
const STEP = WAVE_END + 3
const FIRST_MS = WAVE_END + 4
export const LATENCY_END = WAVE_END + 5

const LEARN_MS = 86_400_000
const LEARN_TRIALS = 100

/** The step beyond which a call is slow; null while it is learned. */
export const slowStep = (d: Float64Array, at: number): number | null => {
  const step = d[at + STEP]!
  return step === 0 ? null : step
}

/** Learns from `n` calls in a step, during the first day. */
export const learnStep = (d: Float64Array, at: number, step: number, n: number): void => {
  d[at + N]! += n
  d[at + SUM]! += n * step
  d[at + SQUARES]! += n * step * step
}

/** Fixes the step once a day of calls was seen. */
export const settleStep = (d: Float64Array, at: number, ms: number): void => {
  if (d[at + FIRST_MS] === 0) d[at + FIRST_MS] = ms
  const n = d[at + N]!
  if (n < LEARN_TRIALS || ms - d[at + FIRST_MS]! < LEARN_MS) return
  const mean = d[at + SUM]! / n
  const sd = Math.sqrt(Math.max(0, d[at + SQUARES]! / n - mean * mean))
  d[at + STEP] = Math.max(1, Math.ceil(mean + sd))
}

/** Bins of the histogram in a step, and its base. */
export const STEP_BINS = 5
const GAMMA = 1.02

/** Longest duration of a step, in milliseconds. */
export const stepMs = (step: number): number => Math.round(GAMMA ** (STEP_BINS * (step + 1) - 1))
