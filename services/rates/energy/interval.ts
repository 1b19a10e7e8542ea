import type { HalfWidth } from './factors.ts'

/** Low, middle and high of an 80 % interval, in the unit of the middle. */
export type Interval = { low: number; mid: number; high: number }

/** Independent errors in log space add as squares; the ends are never multiplied with each other. */
export const combineHalfWidths = (widths: readonly HalfWidth[]): HalfWidth => ({
  below: Math.sqrt(widths.reduce((sum, { below }) => sum + below * below, 0)),
  above: Math.sqrt(widths.reduce((sum, { above }) => sum + above * above, 0))
})
