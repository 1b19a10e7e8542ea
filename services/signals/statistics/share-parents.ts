import { expectedShare, knownTrials } from './rise-baseline.ts'
import { wordsOf, type Words } from './series-slots.ts'
import { countsOf, gather, shareSlot, type Counts, type WatchedShares } from './watched-shares.ts'

/**
 * Wider series over narrow ones, each part against its own baseline (indirect standardisation):
 * when a hard part is asked for more often, the whole gets worse, and nothing has happened.
 */

/** Slots of the wider series that a series belongs to; found anew in each run. */
export type Parents = Map<number, number[]>

/** A part says nothing of the whole before this many of its trials are known. */
const PARENT_TRIALS_MIN = 30

/** Adds the running minute of every series to those above it; `above` names them. */
export const gatherParents = (
  shares: WatchedShares,
  parents: Parents,
  above: (words: Words) => readonly Words[],
  ms: number
): void => {
  const { slots } = shares
  // Parents are touched on the way.
  const touched = [...shares.minute.touched]
  for (const slot of touched) {
    const own =
      parents.get(slot) ?? above(wordsOf(slots, slot)).map((name) => shareSlot(shares, name, ms))
    parents.set(slot, own)
    const counts = countsOf(shares, slot)
    const expected = expectedOf(shares, slot, counts, ms)
    for (const parent of own) gather(shares, parent, counts, expected)
  }
}

/** A part that is not known yet is as it is: it speaks neither for nor against the whole. */
const expectedOf = (
  { slots }: WatchedShares,
  slot: number,
  { n, k }: Counts,
  ms: number
): number => {
  const at = slot * slots.records.shape.doubles
  const isKnown = knownTrials(slots.records.doubles, at) >= PARENT_TRIALS_MIN
  if (isKnown) return expectedShare(slots.records, slot, ms)
  return n > 0 ? k / n : 0
}
