import type { UsageAt } from './gap-minutes.ts'
import type { Rates } from './tenant-ring.ts'

/**
 * What a tenant lost: what it was itself refused since a change, of what the cache had served after such
 * a time without use. A change in what it sends does not count.
 */

type Read = { slot: number; usage: UsageAt }
type Sides = { before: Rates; after: Rates }

/** Share of its input that a tenant lost. */
export const lostShare = (
  read: Read,
  before: readonly [from: number, to: number] | null,
  { before: old, after }: Sides
): number => {
  if (after.input <= 0 || after.usual <= 0 || old.usual <= 0) return 0
  // Less than the pool is a matter of where its gaps lie within a bin: it makes no loss larger.
  const own = Math.max(0, old.remiss / old.usual)
  const usually = before === null ? own : own * trust(read, before, { own, old })
  return (after.remiss - usually * after.usual) / after.input
}

/**
 * A tenant may always have been refused more than the pool, as one that caches nothing. A half hour of
 * few prompts tells that badly: its share is shrunk to that of the pool, which is none, by as much of
 * its square as its own noise explains (the positive part of James and Stein).
 */
const trust = (
  { slot, usage }: Read,
  [from, to]: readonly [number, number],
  { own, old }: { own: number; old: Rates }
): number => {
  const minutes = to - from
  let squares = 0
  for (let minute = from; minute < to; minute++) {
    const { usual, remiss } = usage(slot, minute)
    squares += (remiss - own * usual) ** 2
  }
  // However alike its minutes are, one prompt more or less may be chance.
  const least = 1 / (old.events * minutes) ** 2
  const noise = Math.max(least, squares / (old.usual * minutes) ** 2)
  return own === 0 ? 0 : Math.max(0, 1 - noise / own ** 2)
}
