import { R } from './rise-record.ts'
import { riseChange, shareOf, type RiseStretch } from './rise-change.ts'
import { riseNats } from './rise-detector.ts'
import { wordsOf, type Slots, type Words } from './series-slots.ts'

/** Which narrow series carry the rise of a wide one: bad outcomes beyond their own baselines. */

/** A narrow series under a wide one. */
export type Leaf = { series: string; slot: number; words: Words; lastMs: number }

export type Carrier = Leaf & {
  before: number
  after: RiseStretch
  /** Bad outcomes since its change point beyond what its share before would have given. */
  excess: number
}

/** Parts that a finding tells of. */
const CARRIERS_MAX = 8
/** One part that makes this share of a rise is the whole story. */
const CARRIED_SHARE = 0.8

export const leavesOf = (slots: Slots, isUnder: (words: Words) => boolean): Leaf[] =>
  [...slots.slots].flatMap(([series, slot]) => {
    const words = wordsOf(slots, slot)
    const { records, lastMs } = slots
    const at = slot * records.shape.doubles
    return isUnder(words) ? [{ series, slot, words, lastMs: records.doubles[at + lastMs]! }] : []
  })

export const carriersOf = ({ records }: Slots, leaves: readonly Leaf[]): Carrier[] =>
  leaves
    .map((leaf) => {
      const { before, after } = riseChange(records, leaf.slot)
      const at = leaf.slot * records.shape.doubles
      const isRising = riseNats(records.doubles, at) > 0 || records.doubles[at + R.openMs]! > 0
      const share = shareOf(before)
      return { ...leaf, before: share, after, excess: isRising ? after.k - after.n * share : 0 }
    })
    .filter(({ excess }) => excess > 0)
    .sort((a, b) => b.excess - a.excess || (a.series < b.series ? -1 : 1))
    .slice(0, CARRIERS_MAX)

/** The part that makes nearly all of the excess, if one does. */
export const carrierOfMost = (
  carriers: readonly Carrier[],
  partOf: (words: Words) => string | null
): string | null | undefined => {
  const excess = new Map<string | null, number>()
  for (const { words, excess: own } of carriers) {
    excess.set(partOf(words), (excess.get(partOf(words)) ?? 0) + own)
  }
  const all = [...excess.values()].reduce((sum, one) => sum + one, 0)
  return [...excess].find(([, one]) => one >= CARRIED_SHARE * all)?.[0]
}
