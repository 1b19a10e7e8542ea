import { R, RISE_ANCHORS, RISE_SNAPSHOT, RISES } from './rise-record.ts'

/** Sums so far of a share, kept every 12 hours: "before" is a stretch between two of them. */

const ANCHOR_MS = 43_200_000

/** Where the snapshot of an anchor lies. */
export const anchorAt = (at: number, index: number): number =>
  at + R.anchors + (index % RISE_ANCHORS) * RISE_SNAPSHOT

/** Keeps the sums of every 12 hours, so that "before" is a stretch which a query can repeat. */
export const markAnchor = (d: Float64Array, at: number, ms: number): void => {
  const latest = d[at + R.anchorMs]!
  if (latest > 0 && Math.floor(ms / ANCHOR_MS) === Math.floor(latest / ANCHOR_MS)) return
  const next = d[at + R.anchorNext]!
  // What came before a change that is under suspicion is kept, however long it takes to decide.
  if (earliestSuspicion(d, at) <= d[anchorAt(at, next + 1)]!) return
  snapshot(d, at, anchorAt(at, next), ms)
  d[at + R.anchorNext] = (next + 1) % RISE_ANCHORS
  d[at + R.anchorMs] = ms
}

/** Keeps the sums so far, from before the window at `ms`. */
export const snapshot = (d: Float64Array, at: number, to: number, ms: number): void => {
  // So few that a call of `copyWithin` would take longer.
  for (let i = 1; i < RISE_SNAPSHOT; i++) d[to + i] = d[at + R.totals + i]!
  d[to] = ms
}

const earliestSuspicion = (d: Float64Array, at: number): number => {
  let earliest = Infinity
  for (let bet = 0; bet < RISES.length; bet++) {
    if (d[at + R.evidence + bet]! <= 0) continue
    earliest = Math.min(earliest, d[at + R.restarts + bet * RISE_SNAPSHOT]!)
  }
  return earliest
}

/** The oldest kept anchor that holds anything: where "before" begins. */
export const oldestAnchor = (d: Float64Array, at: number): number => {
  const next = d[at + R.anchorNext]!
  for (let step = 0; step < RISE_ANCHORS; step++) {
    const anchor = anchorAt(at, next + step)
    if (d[anchor]! > 0) return anchor
  }
  return anchorAt(at, 0)
}
