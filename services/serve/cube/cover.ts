import { HOUR_MS, type Range } from '../range.ts'
import { BLOCK_MS, LONG_TO_SHORT, type BlockName } from './blocks.ts'
import { joined, without, wholeUnits, type Span } from './spans.ts'

/** Which part of a range is read from which blocks: no stretch of time is in two of them. */
export type Cover = { blocks: ReadonlyMap<BlockName, Span[]>; minutes: Span[] }

/**
 * The longest rows that still tell the steps of a question apart, in milliseconds; 0 = minutes alone.
 * @param stepS the question's steps of time in seconds; null = it has none; undefined = it names
 *   times as they come, in the grain of the range.
 */
export const longestOf = ({ grain }: Range, stepS: number | null | undefined): number => {
  if (stepS === undefined) return grain === 'hour' ? HOUR_MS : 0
  if (stepS === null) return Infinity
  // Steps are counted from a midnight that five days do not lead to.
  const within = LONG_TO_SHORT.filter((name) => BLOCK_MS[name] <= BLOCK_MS.days)
  const fitting = within.find((name) => (stepS * 1000) % BLOCK_MS[name] === 0)
  return fitting === undefined ? 0 : BLOCK_MS[fitting]
}

/** What of the settled windows the cube holds. */
export type Held = {
  /** Blocks put together from all of their hours. */
  blocks: ReadonlyMap<BlockName, readonly Span[]>
  /** Hours that are settled and not read yet. */
  unread: readonly Span[]
}

export const coverOf = (range: Span, longestMs: number, held: Held): Cover => {
  const blocks = new Map<BlockName, Span[]>()
  let rest: Span[] = [range]
  for (const name of LONG_TO_SHORT) {
    if (BLOCK_MS[name] > longestMs) continue
    const taken = joined(rest.flatMap((span) => takenOf(span, name, held)))
    if (taken.length > 0) blocks.set(name, taken)
    rest = rest.flatMap((span) => without(span, taken))
  }
  return { blocks, minutes: rest }
}

const takenOf = (span: Span, name: BlockName, { blocks, unread }: Held): Span[] => {
  const whole = wholeUnits(span, BLOCK_MS[name])
  if (whole === null) return []
  if (name === 'hours') return without(whole, unread)
  const { fromMs, toMs } = whole
  return (blocks.get(name) ?? []).filter((one) => one.fromMs >= fromMs && one.toMs <= toMs)
}
