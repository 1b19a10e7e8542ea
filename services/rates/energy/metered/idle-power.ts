import { microjoulesBetween, type EnergyCurve } from './energy-curve.ts'
import type { ServedRequest } from './served-request.ts'

/** Fewer quiet spans than this make a guess, not a floor. */
const QUIET_SPANS_MIN = 10
/** A low percentile, not the least: one glitch must not set the floor. */
const FLOOR_PERCENTILE = 0.01
const SPAN_MS = 1000

/**
 * Idle watts of one GPU: the first percentile of its power while no request ran. Null when it was
 * hardly ever quiet, since the least power under load is no idle power.
 */
export const idleWatts = (
  curve: EnergyCurve,
  requests: readonly ServedRequest[]
): number | null => {
  const busy = requests
    .map(({ startMs, endMs }) => ({ startMs, endMs }))
    .toSorted((a, b) => a.startMs - b.startMs)
  const watts = curve.segments
    .filter(({ dark, fromMs, toMs }) => !dark && toMs - fromMs <= 10 * SPAN_MS)
    .filter(
      ({ fromMs, toMs }) => !busy.some(({ startMs, endMs }) => startMs < toMs && endMs > fromMs)
    )
    .map(({ fromMs, toMs }) => microjoulesBetween(curve, fromMs, toMs) / 1000 / (toMs - fromMs))
    .sort((a, b) => a - b)
  if (watts.length < QUIET_SPANS_MIN) return null
  return watts[Math.floor(watts.length * FLOOR_PERCENTILE)] ?? null
}
