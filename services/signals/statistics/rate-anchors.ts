import { dropNats } from './evidence.ts'
import { ANCHORS, D, DROPS, SNAPSHOT } from './rate-record.ts'

/** Sums so far of a series, kept every 12 hours: "before" is a stretch between two of them. */

const ANCHOR_MS = 43_200_000

/** Keeps the sums of every 12 hours, so that "before" is a stretch which a query can repeat. */
export const markAnchor = (d: Float64Array, at: number, ms: number): void => {
  const next = d[at + D.anchorNext]!
  const latest = anchorAt(at, next + ANCHORS - 1)
  if (d[at + D.windows]! > 0 && Math.floor(ms / ANCHOR_MS) === Math.floor(d[latest]! / ANCHOR_MS)) {
    return
  }
  // What came before a change that is under suspicion is kept, however long it takes to decide.
  if (earliestSuspicion(d, at) <= d[anchorAt(at, next + 1)]!) return
  const anchor = anchorAt(at, next)
  d[anchor] = ms
  d[anchor + 1] = d[at + D.totalN]!
  d[anchor + 2] = d[at + D.totalW]!
  d[anchor + 3] = d[at + D.totalH]!
  d[anchor + 4] = d[at + D.totalCost]!
  d[at + D.anchorNext] = (next + 1) % ANCHORS
}

const anchorAt = (at: number, index: number): number =>
  at + D.anchors + (index % ANCHORS) * SNAPSHOT

/** When the oldest evidence that still stands began; Infinity when there is none. */
export const earliestSuspicion = (d: Float64Array, at: number): number => {
  let earliest = Infinity
  for (let drop = 0; drop < DROPS.length; drop++) {
    const stands = dropNats(d, at, drop) > 0
    if (stands) earliest = Math.min(earliest, d[at + D.restarts + drop * SNAPSHOT]!)
  }
  return earliest
}

/** The oldest kept anchor that holds anything: where "before" begins. */
export const oldestAnchor = (d: Float64Array, at: number): number => {
  const next = d[at + D.anchorNext]!
  for (let step = 0; step < ANCHORS; step++) {
    const anchor = anchorAt(at, next + step)
    if (d[anchor]! > 0) return anchor
  }
  return anchorAt(at, 0)
}
