/** Calls by columns, times in whole milliseconds; NaN = not known. */
export type RunningColumns = {
  /** Numbers from 0 on; equal ones share a batch. */
  replica: Float64Array
  startMs: Float64Array
  endMs: Float64Array
}

/**
 * Mean number of calls running on the same replica while each call ran, itself included: the
 * concurrency that settling restates estimates with; NaN where it is not known when or where a call
 * ran. One sweep over starts and ends in order of time; all terms are whole numbers below 2^53, so
 * the order of the calls does not matter.
 */
export const overlapConcurrency = (calls: RunningColumns): Float64Array => {
  const { replica, startMs, endMs } = calls
  const known = knownRows(calls)
  const replicas = emptyReplicas(known.reduce((most, row) => Math.max(most, replica[row]!), -1) + 1)
  const starts = inOrder(known, startMs)
  const ends = inOrder(known, endMs)
  const overlap = new Float64Array(replica.length).fill(Number.NaN)
  let next = 0
  for (const ended of ends) {
    const endedMs = endMs[ended]!
    // A call of no length begins before it ends.
    for (; next < starts.length && startMs[starts[next]!]! <= endedMs; next += 1) {
      const row = starts[next]!
      overlap[row] = passed(replicas, replica[row]!, startMs[row]!)
      replicas.running[replica[row]!]! += 1
    }
    const ran = passed(replicas, replica[ended]!, endedMs) - overlap[ended]!
    replicas.running[replica[ended]!]! -= 1
    const length = endedMs - startMs[ended]!
    overlap[ended] = length > 0 ? ran / length : 1
  }
  return overlap
}

const knownRows = ({ replica, startMs, endMs }: RunningColumns): Int32Array => {
  const rows = new Int32Array(replica.length)
  let count = 0
  for (let row = 0; row < replica.length; row += 1) {
    if (replica[row]! >= 0 && endMs[row]! >= startMs[row]!) rows[count++] = row
  }
  return rows.subarray(0, count)
}

type Replicas = { running: Float64Array; ranMs: Float64Array; seenMs: Float64Array }

const emptyReplicas = (count: number): Replicas => ({
  running: new Float64Array(count),
  ranMs: new Float64Array(count),
  seenMs: new Float64Array(count)
})

/** Call time of a replica up to a moment, which is not before the last one asked for. */
const passed = ({ running, ranMs, seenMs }: Replicas, replica: number, moment: number): number => {
  const calls = running[replica]!
  if (calls > 0) ranMs[replica]! += calls * (moment - seenMs[replica]!)
  seenMs[replica] = moment
  return ranMs[replica]!
}

const DIGIT_BITS = 11
const DIGITS = 2 ** DIGIT_BITS

/** Rows in order of their moments: by digits from the lowest, two or three for an hour of milliseconds. */
const inOrder = (rows: Int32Array, moments: Float64Array): Int32Array => {
  const { least, most } = rangeOf(rows, moments)
  const places = new Int32Array(DIGITS + 1)
  let from = rows
  for (let scale = 1; scale <= most - least; scale *= DIGITS) {
    const into = new Int32Array(rows.length)
    places.fill(0)
    for (let at = 0; at < from.length; at += 1) {
      places[digitOf(moments[from[at]!]! - least, scale) + 1]! += 1
    }
    for (let digit = 1; digit < DIGITS; digit += 1) places[digit]! += places[digit - 1]!
    for (let at = 0; at < from.length; at += 1) {
      const row = from[at]!
      into[places[digitOf(moments[row]! - least, scale)]!++] = row
    }
    from = into
  }
  return from
}

const digitOf = (value: number, scale: number): number => (value / scale) & (DIGITS - 1)

const rangeOf = (rows: Int32Array, moments: Float64Array): { least: number; most: number } => {
  let least = Infinity
  let most = -Infinity
  for (let at = 0; at < rows.length; at += 1) {
    const moment = moments[rows[at]!]!
    if (moment < least) least = moment
    if (moment > most) most = moment
  }
  return { least, most }
}
