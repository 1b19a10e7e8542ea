import { hourIndex } from '../statistics/rise-baseline.ts'
import { R, RF, RISE_HOURS } from '../statistics/rise-record.ts'
import type { Records } from '../statistics/records.ts'
import { LATENCY_END } from './latency-step.ts'

/**
 * How much more traffic there is than this hour usually has. A surge slows calls and meets limits
 * by itself; what its load explains is no drift of the model, the provider or a deployment.
 */

const RECENT = LATENCY_END
const RECENT_MS = LATENCY_END + 1
export const LOAD_END = LATENCY_END + 2

const MINUTE_MS = 60_000
/** Minutes that "recent" spans. */
const SPAN_MINUTES = 30
const HOUR_MINUTES = 60
/** How the hours of past days are weighed in the baseline. */
const DAY_DECAY = 0.9
/** Cases added to both sides: a few calls more are no surge. */
const PRIOR_CASES = 5
/** What load may explain at most, as a factor on the usual share. */
const FACTOR_MAX = 4

/** Adds a minute's cases; returns the factor by which its load may raise the usual share. */
export const loadFactor = (
  { doubles: d, floats: f, shape }: Records,
  slot: number,
  { n, ms }: { n: number; ms: number }
): number => {
  const at = slot * shape.doubles
  const passed = (ms - d[at + RECENT_MS]!) / MINUTE_MS
  d[at + RECENT] = d[at + RECENT]! * Math.exp(-passed / SPAN_MINUTES) + n
  d[at + RECENT_MS] = ms
  const days = d[at + R.daysLearned]!
  if (days === 0) return 1
  const weight = (1 - DAY_DECAY ** days) / (1 - DAY_DECAY)
  const hour = f[slot * shape.floats + RF.hourN + (hourIndex(ms) % RISE_HOURS)]!
  const usual = (hour / weight / HOUR_MINUTES) * SPAN_MINUTES
  const ratio = (d[at + RECENT]! + PRIOR_CASES) / (usual + PRIOR_CASES)
  return Math.min(FACTOR_MAX, Math.max(1, ratio))
}
