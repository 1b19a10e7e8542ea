import { DAY_MS, HOUR_MS, type Range } from '../range.ts'
import { joined, without, wholeUnits, type Span } from './spans.ts'

/** Which part of a range is read from which grain: no stretch of time is in two of them. */
export type Cover = { days: Span[]; hours: Span[]; minutes: Span[] }

/** The coarsest rows that still tell the steps of a question apart. */
export type Finest = 'day' | 'hour' | 'minute'

/**
 * @param stepS the question's steps of time in seconds; null = it has none; undefined = it names
 *   times as they come, in the grain of the range.
 */
export const finestOf = ({ grain }: Range, stepS: number | null | undefined): Finest => {
  if (stepS === undefined) return grain
  if (stepS === null || (stepS * 1000) % DAY_MS === 0) return 'day'
  return (stepS * 1000) % HOUR_MS === 0 ? 'hour' : 'minute'
}

/** What of the settled windows the cube holds. */
export type Held = {
  /** Days put together from all of their hours. */
  days: readonly Span[]
  /** Hours that are settled and not read yet. */
  unread: readonly Span[]
}

export const coverOf = (range: Span, finest: Finest, held: Held): Cover => {
  const whole = wholeUnits(range, DAY_MS)
  const days =
    finest !== 'day' || whole === null
      ? []
      : joined(held.days.filter(({ fromMs, toMs }) => fromMs >= whole.fromMs && toMs <= whole.toMs))
  const rest = without(range, days)
  const hours =
    finest === 'minute'
      ? []
      : rest.flatMap((span) => {
          const aligned = wholeUnits(span, HOUR_MS)
          return aligned === null ? [] : without(aligned, held.unread)
        })
  return { days, hours, minutes: rest.flatMap((span) => without(span, hours)) }
}
