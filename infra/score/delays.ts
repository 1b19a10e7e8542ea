/** Minutes until something was found; Infinity when it was not found in time. */
export type Delays = number[]

export const percent = (part: number, all: number): string =>
  all === 0 ? '—' : `${((100 * part) / all).toFixed(0)} %`

/** Median over all, found or not: Infinity when less than half were found. */
const medianOf = (delays: Delays): number =>
  [...delays].sort((a, b) => a - b)[Math.floor(delays.length / 2)] ?? Infinity

export const medianDelay = (delays: Delays): string => {
  const median = medianOf(delays)
  return Number.isFinite(median) ? `${Math.round(median)} min` : '—'
}

/** Share found and median delay in one cell. */
export const summarise = (delays: Delays): string =>
  `${percent(delays.filter(Number.isFinite).length, delays.length)}, ${medianDelay(delays)}`
