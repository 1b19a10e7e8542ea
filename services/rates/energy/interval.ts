import type { HalfWidth } from './factors.ts'

/** Natural logarithms of 0.02 / 0.1 and 0.37 / 0.1: cache load alone, and the one measurement. */
export const CACHED_HALF_WIDTH: HalfWidth = { below: 1.61, above: 1.31 }
/** Few prefill measurements are open: × 0.6 … × 2. */
export const PREFILL_HALF_WIDTH: HalfWidth = { below: 0.51, above: 0.69 }

/** Low, middle and high of an 80 % interval, in the unit of the middle. */
export type Interval = { low: number; mid: number; high: number }

/** Independent errors in log space add as squares; the ends are never multiplied with each other. */
export const combineHalfWidths = (widths: readonly HalfWidth[]): HalfWidth => ({
  below: Math.sqrt(widths.reduce((sum, { below }) => sum + below * below, 0)),
  above: Math.sqrt(widths.reduce((sum, { above }) => sum + above * above, 0))
})

type Parts = { prefill: number; cached: number; decode: number }

/** The interval around a sum of parts: prefill and cache shares add their own, larger doubt. */
export const interval = (parts: Parts, base: HalfWidth): Interval => {
  const mid = parts.prefill + parts.cached + parts.decode
  if (mid === 0) return { low: 0, mid: 0, high: 0 }
  const prefill = parts.prefill / mid
  const cached = parts.cached / mid
  const width = combineHalfWidths([
    base,
    scaled(PREFILL_HALF_WIDTH, prefill),
    scaled(CACHED_HALF_WIDTH, cached)
  ])
  return { low: mid * Math.exp(-width.below), mid, high: mid * Math.exp(width.above) }
}

const scaled = ({ below, above }: HalfWidth, share: number): HalfWidth => ({
  below: below * share,
  above: above * share
})
