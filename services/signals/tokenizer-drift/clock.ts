import { CLOCK_COUNTS, CLOCK_STRETCHES, DAY_MS, F, SHAPE, type SeriesState } from './series.ts'

/**
 * Votes by the time of day. Chats by day and batches by night are different texts: at some hours more
 * than a quarter of a series' calls lie beyond its quartiles, day after day, and that is no change.
 */

/** What lies beyond a quartile by definition. */
const QUARTILE = 0.25
/** Conversations that say a quarter before a stretch has its own. */
const PRIOR_CLUSTERS = 20
/** No habit makes a share beyond this usual: a change of all calls is always seen. */
const SHARE_MAX = 0.7

export type ClockVotes = { all: number; above: number; below: number }

const placeOf = (slot: number, ms: number): number => {
  const stretch = Math.floor(((ms % DAY_MS) / DAY_MS) * CLOCK_STRETCHES)
  return slot * SHAPE.floats + F.clock + stretch * CLOCK_COUNTS
}

/** Shares beyond each quartile that are usual at this time of day, 0.25 or more. */
export const usualShares = (
  { records }: SeriesState,
  slot: number,
  ms: number
): { above: number; below: number } => {
  const at = placeOf(slot, ms)
  const [all = 0, above = 0, below = 0] = records.floats.subarray(at, at + CLOCK_COUNTS)
  const share = (beyond: number): number => {
    const own = (beyond + QUARTILE * PRIOR_CLUSTERS) / (all + PRIOR_CLUSTERS)
    return Math.min(SHARE_MAX, Math.max(QUARTILE, own))
  }
  return { above: share(above), below: share(below) }
}

export const learnClock = (
  { records }: SeriesState,
  slot: number,
  { ms, votes }: { ms: number; votes: ClockVotes }
): void => {
  const at = placeOf(slot, ms)
  for (const [index, name] of (['all', 'above', 'below'] as const).entries())
    records.floats[at + index]! += votes[name]
}

/** Votes against other quartiles say nothing. */
export const clearClock = ({ records }: SeriesState, slot: number): void => {
  const at = slot * SHAPE.floats + F.clock
  records.floats.fill(0, at, at + CLOCK_STRETCHES * CLOCK_COUNTS)
}

export const scaleClock = ({ records }: SeriesState, slot: number, factor: number): void => {
  const at = slot * SHAPE.floats + F.clock
  for (let i = at; i < at + CLOCK_STRETCHES * CLOCK_COUNTS; i++) records.floats[i]! *= factor
}
