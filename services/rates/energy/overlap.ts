/** Calls by columns: when each ran, and on which replica; NaN = not known. */
export type RunningColumns = {
  /** Equal numbers share a batch. */
  replica: Float64Array
  startMs: Float64Array
  endMs: Float64Array
}

/**
 * Mean number of calls running on the same replica while each call ran, itself included: the
 * concurrency that settling restates estimates with; NaN where it is not known when a call ran. All
 * terms are whole numbers below 2^53, so the order of the calls does not matter.
 */
export const overlapConcurrency = (calls: RunningColumns): Float64Array => {
  const overlap = new Float64Array(calls.startMs.length).fill(Number.NaN)
  for (const rows of rowsByReplica(calls)) fillReplica(calls, rows, overlap)
  return overlap
}

const rowsByReplica = ({ replica, startMs, endMs }: RunningColumns): number[][] => {
  const groups = new Map<number, number[]>()
  for (let row = 0; row < replica.length; row += 1) {
    const name = replica[row]!
    if (!(endMs[row]! >= startMs[row]!) || name !== name) continue
    const rows = groups.get(name)
    if (rows === undefined) groups.set(name, [row])
    else rows.push(row)
  }
  return [...groups.values()]
}

const fillReplica = (
  { startMs, endMs }: RunningColumns,
  rows: readonly number[],
  overlap: Float64Array
): void => {
  const origin = rows.reduce((least, row) => Math.min(least, startMs[row]!), Infinity)
  const starts = edgesOf(rows, startMs, origin)
  const ends = edgesOf(rows, endMs, origin)
  // Call time up to a moment: what ran from each start on, without what lies beyond each end.
  const ranUntil = (moment: number): number => timeSince(starts, moment) - timeSince(ends, moment)
  for (const row of rows) {
    const start = startMs[row]! - origin
    const end = endMs[row]! - origin
    overlap[row] = end > start ? (ranUntil(end) - ranUntil(start)) / (end - start) : 1
  }
}

/** Moments in order, and the sum of the first so many of them. */
type Edges = { moments: Float64Array; sums: Float64Array }

const edgesOf = (rows: readonly number[], column: Float64Array, origin: number): Edges => {
  const moments = Float64Array.from(rows, (row) => column[row]! - origin).sort()
  const sums = new Float64Array(moments.length + 1)
  for (let index = 0; index < moments.length; index += 1) {
    sums[index + 1] = sums[index]! + moments[index]!
  }
  return { moments, sums }
}

/** Σ (moment − edge) over the edges before. */
const timeSince = ({ moments, sums }: Edges, moment: number): number => {
  let low = 0
  let high = moments.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (moments[middle]! < moment) low = middle + 1
    else high = middle
  }
  return low * moment - sums[low]!
}
