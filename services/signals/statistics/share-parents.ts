import { expectedShare, knownTrials } from './rise-baseline.ts'
import { wordsOf, type Words } from './series-slots.ts'
import { countsOf, gather, shareSlot, type WatchedShares } from './watched-shares.ts'

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
    const at = slot * slots.records.shape.doubles
    if (knownTrials(slots.records.doubles, at) < PARENT_TRIALS_MIN) continue
    const own =
      parents.get(slot) ?? above(wordsOf(slots, slot)).map((name) => shareSlot(shares, name, ms))
    parents.set(slot, own)
    const expected = expectedShare(slots.records, slot, ms)
    for (const parent of own) gather(shares, parent, countsOf(shares, slot), expected)
  }
}
