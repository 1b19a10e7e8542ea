import { RF, RISE_HOURS, RISE_SHAPE } from '../statistics/rise-record.ts'
import type { Records } from '../statistics/records.ts'

/**
 * What the clock explains. A week of three-hour bins remembers what share was bad when; the usual
 * share of a moment is the worst of what the hour of day, the same bin of the last weeks and that
 * of the days around it say. Only what is worse than all of these is a change.
 */

/** Three-hour bins of a week. */
export const WEEK_BINS = 56
const BIN_MS = 3 * 3_600_000
const DAY_MS = 86_400_000
/** A byte holds a share in steps of 1/125, plus one; 0 = never seen. */
const BYTE_SCALE = 125
/** Trials in a bin from which its share is remembered. */
const BIN_TRIALS_MIN = 20
/** How far the newest week moves what is remembered. */
const NEWEST = 0.5
const BINS_PER_DAY = DAY_MS / BIN_MS

/** Behind the rising share: the running bin with its trials and bad ones, then the rest's own. */
const BIN = RISE_SHAPE.doubles
const BIN_N = BIN + 1
const BIN_K = BIN + 2
export const CLOCK_END = BIN + 3

const binOf = (ms: number): number => Math.floor(ms / BIN_MS)
const placeOf = (bin: number): number => ((bin % WEEK_BINS) + WEEK_BINS) % WEEK_BINS

/** Adds what happened in a minute that is not under suspicion. */
export const learnClock = (
  { doubles: d, bytes, shape }: Records,
  slot: number,
  { n, k, ms }: { n: number; k: number; ms: number }
): void => {
  const at = slot * shape.doubles
  const bin = binOf(ms)
  if (bin !== d[at + BIN]!) {
    if (d[at + BIN_N]! >= BIN_TRIALS_MIN) remember(bytes, slot * shape.bytes, d.subarray(at + BIN))
    d[at + BIN] = bin
    d[at + BIN_N] = 0
    d[at + BIN_K] = 0
  }
  d[at + BIN_N]! += n
  d[at + BIN_K]! += k
}

const remember = (bytes: Int8Array, at: number, [bin, n, k]: Float64Array): void => {
  const place = at + placeOf(bin!)
  const old = bytes[place]!
  const share = k! / n!
  const mixed = old === 0 ? share : NEWEST * share + ((1 - NEWEST) * (old - 1)) / BYTE_SCALE
  bytes[place] = Math.min(127, 1 + Math.round(mixed * BYTE_SCALE))
}

/** The bin itself a week ago, its neighbours then, and the same hours of yesterday. */
const CLOCK_BINS_BACK = [0, 1, -1, BINS_PER_DAY]

/** Worst share that the clock has shown for this moment; null where it was never seen. */
export const clockShare = ({ bytes, shape }: Records, slot: number, ms: number): number | null => {
  const bin = binOf(ms)
  let worst = 0
  for (const back of CLOCK_BINS_BACK) {
    worst = Math.max(worst, bytes[slot * shape.bytes + placeOf(bin - back)]!)
  }
  return worst === 0 ? null : (worst - 1) / BYTE_SCALE
}

/** Trials at which an hour's own share weighs as much as the day's. */
const SHRINK_TRIALS = 50

/** Bad share by hour of day, as the baseline holds it; NaN where nothing is known. */
export const shareByHour = ({ floats: f, shape }: Records, slot: number): number[] => {
  const at = slot * shape.floats
  const sum = (from: number): number =>
    f.subarray(at + from, at + from + RISE_HOURS).reduce((all, one) => all + one, 0)
  const day = sum(RF.hourK) / sum(RF.hourN)
  return Array.from({ length: RISE_HOURS }, (_, hour) => {
    const n = f[at + RF.hourN + hour]!
    return n === 0 ? NaN : (f[at + RF.hourK + hour]! + day * SHRINK_TRIALS) / (n + SHRINK_TRIALS)
  })
}

/** The eight hours of day that are best, and worst, by a daily shape. */
export const extremeHours = (shares: readonly number[]): { quiet: number[]; bad: number[] } => {
  const known = shares
    .map((share, hour) => ({ share, hour }))
    .filter(({ share }) => !Number.isNaN(share))
    .sort((a, b) => a.share - b.share || a.hour - b.hour)
    .map(({ hour }) => hour)
  const third = Math.floor(known.length / 3)
  return { quiet: known.slice(0, third), bad: known.slice(known.length - third) }
}

/** Share of the day's mean up to which an hour is quiet. */
const QUIET_OF_MEAN = 0.7

/** Hours of day that are so much better than the day that an evaluation then misleads. */
export const quietHours = (shares: readonly number[], mean: number): number[] =>
  [...shares.keys()].filter((hour) => shares[hour]! <= QUIET_OF_MEAN * mean)

/** Hours as people write them: `0-4 22-23`. */
export const hoursText = (hours: readonly number[]): string => {
  const sorted = [...hours].sort((a, b) => a - b)
  const runs: [number, number][] = []
  for (const hour of sorted) {
    const run = runs.at(-1)
    if (run !== undefined && run[1] === hour - 1) run[1] = hour
    else runs.push([hour, hour])
  }
  return runs.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(' ')
}
