import { DAY_MS, HOUR_MS } from '../range.ts'
import type { Rollup } from './rollups.ts'
import type { Span } from './spans.ts'

/**
 * Stretches of time that settled windows are put together for, from short to long; each is a multiple
 * of the one before and starts at a multiple of itself since the epoch. A range of thirty days is then
 * some five pentads (five days), four days, a few quarters of a day and a few hours, wherever its ends lie.
 */
export type BlockName = 'hours' | 'quarters' | 'days' | 'pentads'
export const BLOCK_MS: Readonly<Record<BlockName, number>> = {
  hours: HOUR_MS,
  quarters: 6 * HOUR_MS,
  days: DAY_MS,
  pentads: 5 * DAY_MS
}
const SHORT_TO_LONG = ['hours', 'quarters', 'days', 'pentads'] as const satisfies BlockName[]
export const LONG_TO_SHORT = SHORT_TO_LONG.toReversed()

/** What is put together out of hours, which come from files. */
export const COMPOSED = SHORT_TO_LONG.filter((name) => name !== 'hours')

/** The blocks of a rollup that blocks of this length are made of; null = the hours of `full`. */
export const partsOfBlock = ({ blocks }: Rollup, name: BlockName): BlockName | null =>
  blocks.filter((one) => BLOCK_MS[one] < BLOCK_MS[name]).at(-1) ?? null

/** The block that a time lies in. */
export const blockAt = (timeMs: number, name: BlockName): Span => {
  const fromMs = Math.floor(timeMs / BLOCK_MS[name]) * BLOCK_MS[name]
  return { fromMs, toMs: fromMs + BLOCK_MS[name] }
}
