import type { Ages, Tick } from './report.ts'

/**
 * A week of history at little cost: the first minutes one after the other, then one an hour, so that
 * every hour of the week has been seen; at some ages a few minutes are measured.
 */

const HOUR = 60
const DAY = 24 * HOUR
/** Minutes that are measured at each age. */
const MEASURED = 7
/** Ages in minutes. */
const AGES: ReadonlyMap<string, number> = new Map([
  ['5 minutes', 5],
  ['105 minutes', 105],
  ['1 day', DAY],
  ['7 days', 7 * DAY]
])
/** Until then every minute has events. */
const DENSE = 105 + MEASURED

const isMeasured = (minute: number): boolean =>
  [...AGES.values()].some((age) => minute >= age && minute < age + MEASURED)

export const historyMinutes = (): number[] => {
  const last = Math.max(...AGES.values()) + MEASURED
  return Array.from({ length: last }, (_, minute) => minute).filter(
    (minute) => minute < DENSE || minute % HOUR === 0 || isMeasured(minute)
  )
}

export const ticksByAge = (minutes: readonly number[], ticks: readonly Tick[]): Ages =>
  new Map(
    [...AGES].map(([name, age]) => [
      name,
      // The first tick at an age comes after an hour without events.
      ticks.filter((_, index) => minutes[index]! > age && minutes[index]! < age + MEASURED)
    ])
  )
