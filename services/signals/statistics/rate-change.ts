import { D, SNAPSHOT } from './rate-record.ts'
import { strongestDrop } from './evidence.ts'
import { oldestAnchor } from './rate-anchors.ts'
import type { Records } from './records.ts'

/** Sums over a stretch [fromMs, toMs) of a series, exactly those that a query over it gives. */
export type Stretch = {
  fromMs: number
  toMs: number
  n: number
  w: number
  h: number
  costPico: number
}

/** What changed, read at the window that opened an incident. */
export type RateChange = { before: Stretch; after: Stretch }

const MINUTE_MS = 60_000

/** Before and after the estimated change point; to be read in the minute that alarmed. */
export const rateChange = (records: Records, slot: number): RateChange => {
  const d = records.doubles
  const at = slot * records.shape.doubles
  const restart = at + D.restarts + strongestDrop(d, at) * SNAPSHOT
  const until = d[at + D.lastMs]! + MINUTE_MS
  return {
    before: between(d.subarray(oldestAnchor(d, at)), d.subarray(restart), d[restart]!),
    after: between(d.subarray(restart), d.subarray(at + D.totalN - 1), until)
  }
}

/** Both are snapshots: time, n, w, h, cost. The totals lie in a record like a snapshot's sums. */
const between = (from: Float64Array, to: Float64Array, toMs: number): Stretch => ({
  fromMs: from[0]!,
  toMs,
  n: to[1]! - from[1]!,
  w: to[2]! - from[2]!,
  h: to[3]! - from[3]!,
  costPico: to[4]! - from[4]!
})

export const rateOf = ({ w, h }: Stretch): number => (w > 0 ? h / w : 0)
