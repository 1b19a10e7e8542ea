import { expectedRate } from './baseline.ts'
import { initVariance } from './effective-sample.ts'
import { mixtureNats } from './evidence.ts'
import { rateChange, type Stretch } from './rate-change.ts'
import { observeRate, type Outcome, type RateSettings } from './rate-detector.ts'
import { D, RATE_SHAPE, STATISTICS, type Sample } from './rate-record.ts'
import { createSlots, type Slots } from './series-slots.ts'

/**
 * Watches shares of bad cases (failed, too slow, refused) for a lasting rise, by the rate detector:
 * a rise of the bad share is a drop of the good one. A signal may keep some doubles and bytes of
 * its own behind each record.
 */

export type Extra = { doubles: number; bytes: number }

/** Offsets of the signal's own part in a record. */
export const EXTRA_DOUBLES = RATE_SHAPE.doubles
export const EXTRA_BYTES = RATE_SHAPE.bytes

export const shareShape = (extra: Extra) => ({
  doubles: RATE_SHAPE.doubles + extra.doubles,
  floats: RATE_SHAPE.floats,
  bytes: RATE_SHAPE.bytes + extra.bytes
})

export const createShares = (extra: Extra): Slots => createSlots(shareShape(extra), D.lastMs)

/** Until a series' own variance is known: bad cases come in small clusters. */
const VARIANCE_START = 0.03
const DAY_MS = 86_400_000

/** Prepares the fresh record of a new series. */
export const startShare = ({ records }: Slots, slot: number, ms: number): void => {
  const d = records.doubles
  const at = slot * records.shape.doubles
  initVariance(d, at)
  for (let s = 0; s < STATISTICS; s++) d[at + D.varianceRequest + s] = VARIANCE_START
  d[at + D.firstMs] = ms
  d[at + D.learnedFromMs] = ms
  d[at + D.lastMs] = ms
  d[at + D.day] = Math.floor(ms / DAY_MS)
}

export type Cases = { n: number; good: number; costPico: number }

const SAMPLE: Sample = { n: 0, w: 0, h: 0, ww: 0, x: 0, cost: 0 }

/** Takes the cases of one non-empty window. */
export const observeShare = (
  { records }: Slots,
  slot: number,
  { cases, ms }: { cases: Cases; ms: number },
  settings: RateSettings
): Outcome => {
  SAMPLE.n = SAMPLE.w = SAMPLE.ww = cases.n
  SAMPLE.h = SAMPLE.x = cases.good
  SAMPLE.cost = cases.costPico
  return observeRate(records, slot, { sample: SAMPLE, ms }, settings)
}

export const isOpen = ({ records }: Slots, slot: number): boolean =>
  records.doubles[slot * records.shape.doubles + D.openMs]! > 0

export const evidenceNats = ({ records }: Slots, slot: number): number =>
  mixtureNats(records.doubles, slot * records.shape.doubles)

/** Before and after the change point of an open incident; `after` grows while it is open. */
export const shareChange = ({ records }: Slots, slot: number) => rateChange(records, slot)

/** Bad cases of a stretch and their share. */
export const badOf = ({ w, h }: Stretch): number => w - h
export const badShare = (stretch: Stretch): number =>
  stretch.w > 0 ? badOf(stretch) / stretch.w : 0

/** Bad share that is usual at this time; null while nothing is known. */
export const usualBadShare = ({ records }: Slots, slot: number, ms: number): number | null => {
  const windows = records.doubles[slot * records.shape.doubles + D.windows]!
  return windows < WINDOWS_MIN ? null : 1 - expectedRate(records, slot, 0, ms)
}
const WINDOWS_MIN = 5
