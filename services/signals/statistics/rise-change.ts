import { R, RF, RISE_ANCHORS, RISE_HOURS, RISE_SNAPSHOT } from './rise-record.ts'
import { anchorAt, oldestAnchor } from './rise-anchors.ts'
import { strongestBet } from './rise-detector.ts'
import type { Records } from './records.ts'
import { sumHours } from './rise-baseline.ts'

/** Sums over [fromMs, toMs) of a series, exactly those that a query over it gives. */
export type RiseStretch = {
  fromMs: number
  toMs: number
  n: number
  k: number
  sums: [number, number, number]
}

const MINUTE_MS = 60_000

/** Before and after the estimated change point; to be read in the minute that alarmed. */
export const riseChange = (
  records: Records,
  slot: number
): { before: RiseStretch; after: RiseStretch } => {
  const d = records.doubles
  const at = slot * records.shape.doubles
  const restart = at + R.restarts + strongestBet(d, at) * RISE_SNAPSHOT
  return {
    before: stretch(d, oldestAnchor(d, at), restart, d[restart]!),
    after: stretch(d, restart, at + R.totals, d[at + R.lastMs]! + MINUTE_MS)
  }
}

const stretch = (d: Float64Array, from: number, to: number, toMs: number): RiseStretch => {
  const [n, k, a, b, c] = [1, 2, 3, 4, 5].map((i) => d[to + i]! - d[from + i]!) as [
    number,
    number,
    number,
    number,
    number
  ]
  return { fromMs: d[from]!, toMs, n, k, sums: [a, b, c] }
}

export const shareOf = ({ n, k }: RiseStretch): number => (n > 0 ? k / n : 0)

/**
 * Gives `slot` the history of `other` with no bad outcome in it: the baseline of an outcome that
 * was never seen among trials that were.
 */
export const inheritNone = (records: Records, slot: number, other: number): void => {
  const { doubles: d, floats: f, shape } = records
  d.copyWithin(slot * shape.doubles, other * shape.doubles, (other + 1) * shape.doubles)
  f.copyWithin(slot * shape.floats, other * shape.floats, (other + 1) * shape.floats)
  const at = slot * shape.doubles
  for (const offset of [R.levelK, R.early, R.held]) d[at + offset] = 0
  for (let i = 0; i < RISE_ANCHORS; i++) clearSums(d, anchorAt(at, i))
  clearSums(d, at + R.totals)
  d[at + R.openMs] = 0
  d.fill(0, at + R.windowSquares, at + R.totals)
  d.fill(0, at + R.daySquares, at + R.firstMs)
  d.fill(0, at + R.startedMs, at + shape.doubles)
  const hours = slot * shape.floats
  f.fill(0, hours + RF.hourK, hours + RF.hourK + RISE_HOURS)
  f.fill(0, hours + RF.dayK, hours + RF.dayK + RISE_HOURS)
  sumHours(records, slot)
}

/** Keeps time and n of a snapshot. */
const clearSums = (d: Float64Array, snapshotAt: number): void => {
  d.fill(0, snapshotAt + 2, snapshotAt + RISE_SNAPSHOT)
}
