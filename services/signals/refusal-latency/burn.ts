import { RISE_SHAPE } from '../statistics/rise-record.ts'

/**
 * How fast the error budget burns, by the pairs of the SRE workbook: a long window says that it
 * matters, a short one that it is still going on. Windows are decayed sums whose memory is the
 * window's length, so that six pairs of numbers replace three days of minutes.
 */

export const BURN_PAIRS = [
  { rate: 14.4, longMinutes: 60, shortMinutes: 5 },
  { rate: 6, longMinutes: 360, shortMinutes: 30 },
  { rate: 1, longMinutes: 4320, shortMinutes: 360 }
] as const

const MINUTES = [5, 30, 60, 360, 4320] as const
const MINUTE_MS = 60_000

/** Behind the rising share: decayed traces and slow ones per window, then the time of decay. */
const SUMS = RISE_SHAPE.doubles
const DECAYED_MS = SUMS + 2 * MINUTES.length
export const BURN_END = DECAYED_MS + 1

export const addBurn = (
  d: Float64Array,
  at: number,
  { ms, n, slow }: { ms: number; n: number; slow: number }
): void => {
  const passed = (ms - d[at + DECAYED_MS]!) / MINUTE_MS
  for (const [index, minutes] of MINUTES.entries()) {
    const sums = at + SUMS + 2 * index
    const decay = Math.exp(-passed / minutes)
    d[sums] = decay * d[sums]! + n
    d[sums + 1] = decay * d[sums + 1]! + slow
  }
  d[at + DECAYED_MS] = ms
}

export type Burn = { rate: number; longMinutes: number; shortMinutes: number; burning: boolean }

/** Burn rate over each pair: 1 spends the error budget exactly in its period. */
export const burnRates = (d: Float64Array, at: number, errorBudget: number): Burn[] =>
  BURN_PAIRS.map(({ rate, longMinutes, shortMinutes }) => {
    const [long, short] = [longMinutes, shortMinutes].map((minutes) => {
      const sums = at + SUMS + 2 * MINUTES.indexOf(minutes as (typeof MINUTES)[number])
      return d[sums]! > 0 ? d[sums + 1]! / d[sums]! / errorBudget : 0
    })
    return {
      rate: long!,
      longMinutes,
      shortMinutes,
      burning: long! >= rate && short! >= rate
    }
  })
