import { addLevel, observeLevel } from '../../services/signals/statistics/level-detector.ts'
import { createLevels } from '../../services/signals/statistics/level-record.ts'

/** Detectors of plain numbers side by side, each with one usual setting, fed point by point. */

export type Found = { alarms: number[]; changes: number[] }
export type SeriesDetector = { name: string; run: (values: readonly number[]) => Found }

/** The product's own. */
const ours: SeriesDetector = {
  name: 'general detector',
  run: (values) => {
    const levels = createLevels()
    const slot = addLevel(levels)
    const found: Found = { alarms: [], changes: [] }
    for (const [index, value] of values.entries()) {
      const { alarm, changedAt } = observeLevel(levels, slot, value)
      if (alarm) found.alarms.push(index)
      if (changedAt !== null) found.changes.push(changedAt)
    }
    return found
  }
}

/** What a rule tells again within this share of the points so far is the same thing. */
const MUTE_SHARE = 0.05

/** Alarms muted as ours are; without that the rivals would tell each point of an anomaly. */
const muted = (): ((at: number) => boolean) => {
  let until = 0
  return (at) => {
    if (at < until) return false
    until = at + MUTE_SHARE * at
    return true
  }
}

const Z_POINTS = 100
/** Fewer points have no deviation to speak of. */
const Z_POINTS_MIN = 10

/** Standard deviations from the mean of the last hundred points. */
const zScore = (limit: number): SeriesDetector => ({
  name: `z-score, ${limit} σ of the last 100`,
  run: (values) => {
    const found: Found = { alarms: [], changes: [] }
    const isNews = muted()
    for (const [index, value] of values.entries()) {
      const past = values.slice(Math.max(0, index - Z_POINTS), index)
      if (past.length < Z_POINTS_MIN) continue
      const mean = past.reduce((sum, x) => sum + x, 0) / past.length
      const sd = Math.sqrt(past.reduce((sum, x) => sum + (x - mean) ** 2, 0) / past.length)
      if (Math.abs(value - mean) <= limit * sd || !isNews(index)) continue
      found.alarms.push(index)
      found.changes.push(index)
    }
    return found
  }
})

const CUSUM_SLACK = 0.5
const CUSUM_POINTS = 20

/** Two-sided CUSUM of standardised values; the reference is learned anew after each alarm. */
const cusum = (limit: number): SeriesDetector => ({
  name: `CUSUM, slack 0.5 σ, limit ${limit} σ`,
  run: (values) => {
    const found: Found = { alarms: [], changes: [] }
    const isNews = muted()
    let start = 0
    let sides = [0, 0]
    let since = [0, 0]
    for (const [index, value] of values.entries()) {
      if (index < start + CUSUM_POINTS) continue
      const reference = values.slice(start, start + CUSUM_POINTS)
      const mean = reference.reduce((sum, x) => sum + x, 0) / CUSUM_POINTS
      const sd = Math.sqrt(reference.reduce((sum, x) => sum + (x - mean) ** 2, 0) / CUSUM_POINTS)
      const z = sd > 0 ? (value - mean) / sd : 0
      sides = [z, -z].map((one, side) => {
        const next = Math.max(0, sides[side]! + one - CUSUM_SLACK)
        if (next === 0) since[side] = index + 1
        return next
      })
      const side = sides.findIndex((one) => one > limit)
      if (side < 0) continue
      if (isNews(index)) found.alarms.push(index)
      found.changes.push(since[side]!)
      start = since[side]!
      sides = [0, 0]
      since = [start, start]
    }
    return found
  }
})

/** Run lengths kept: a long series stays affordable, and beyond a thousand points they hardly differ. */
const RUNS_MAX = 1_000
/** Log share below which a run length is forgotten. */
const LOG_SHARE_MIN = -45
/** A run length that falls to less than this share of what it was is a change. */
const RUN_FALL = 0.5
const BOCPD_POINTS = 20

type Run = { log: number; start: number; mean: number; kappa: number; alpha: number; beta: number }

/** Log density of Student's t with the predictive parameters of a normal of unknown mean and variance. */
const predictive = ({ mean, kappa, alpha, beta }: Run, x: number): number => {
  const scale = (beta * (kappa + 1)) / (alpha * kappa)
  const degrees = 2 * alpha
  return (
    lnGamma((degrees + 1) / 2) -
    lnGamma(degrees / 2) -
    Math.log(degrees * Math.PI * scale) / 2 -
    ((degrees + 1) / 2) * Math.log(1 + (x - mean) ** 2 / (degrees * scale))
  )
}

/** Stirling's series after shifting the argument to where it is exact to ten digits. */
const lnGamma = (x: number): number => {
  let shift = 0
  let y = x
  while (y < 10) {
    shift -= Math.log(y)
    y += 1
  }
  return (
    shift +
    (y - 0.5) * Math.log(y) -
    y +
    Math.log(2 * Math.PI) / 2 +
    1 / (12 * y) -
    1 / (360 * y ** 3)
  )
}

/** Bayesian online change points (Adams and MacKay), normal with unknown mean and variance. */
const bocpd = (perChange: number): SeriesDetector => ({
  name: `BOCPD, hazard 1/${perChange}`,
  run: (values) => {
    const found: Found = { alarms: [], changes: [] }
    const isNews = muted()
    const scaled = standardised(values)
    const prior = (start: number): Run => ({ log: 0, start, mean: 0, kappa: 1, alpha: 1, beta: 1 })
    let runs: Run[] = [prior(0)]
    let likeliest = 0
    for (const [index, x] of scaled.entries()) {
      runs = step(runs, x, prior(index + 1), 1 / perChange)
      const best = runs.reduce((most, run) => (run.log > most.log ? run : most)).start
      if (index + 1 - best < RUN_FALL * (index + 1 - likeliest) && best > likeliest) {
        found.changes.push(best)
        if (isNews(index)) found.alarms.push(index)
      }
      likeliest = best
    }
    return found
  }
})

/** By the first points alone: a detector that runs has not seen the others. */
const standardised = (values: readonly number[]): number[] => {
  const first = values.slice(0, Math.max(BOCPD_POINTS, Math.floor(values.length * 0.1)))
  const mean = first.reduce((sum, x) => sum + x, 0) / first.length
  const sd = Math.sqrt(first.reduce((sum, x) => sum + (x - mean) ** 2, 0) / first.length) || 1
  return values.map((x) => (x - mean) / sd)
}

const step = (runs: readonly Run[], x: number, fresh: Run, hazard: number): Run[] => {
  const grown = runs.map((run) => {
    const log = run.log + predictive(run, x)
    const delta = x - run.mean
    return {
      log: log + Math.log(1 - hazard),
      start: run.start,
      mean: run.mean + delta / (run.kappa + 1),
      kappa: run.kappa + 1,
      alpha: run.alpha + 0.5,
      beta: run.beta + (run.kappa * delta * delta) / (2 * (run.kappa + 1))
    }
  })
  const top = Math.max(...grown.map(({ log }) => log))
  const total = grown.reduce((sum, { log }) => sum + Math.exp(log - top), 0)
  const changed = { ...fresh, log: top + Math.log(total) + Math.log(hazard / (1 - hazard)) }
  const all = [...grown, changed]
  const norm = top + Math.log(total / (1 - hazard))
  const kept = all.filter(({ log }) => log - norm > LOG_SHARE_MIN).slice(-RUNS_MAX)
  return kept.map((run) => ({ ...run, log: run.log - norm }))
}

/** The product's own, and each rival at its usual setting and at two that alarm less. */
export const SERIES_DETECTORS: readonly SeriesDetector[] = [
  ours,
  ...[3, 6, 10].map(zScore),
  ...[5, 20, 80].map(cusum),
  ...[100, 1e6, 1e12].map(bocpd)
]
