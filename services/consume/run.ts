import type { RecordRun, UnreadableBatch } from '../stream/log.ts'

/** A stretch of records on its way to the worker: plain memory, moved rather than copied. */
export type Run = {
  partition: number
  /** First offset that the stretch covers, whether or not a record lies there. */
  first: number
  next: number
  count: number
  offsets: Float64Array
  timesMs: Float64Array
  bytes: Uint8Array
  valueStart: Int32Array
  valueEnd: Int32Array
  faults: readonly UnreadableBatch[]
  anchor: { offset: number; crc32c: number } | null
}

/**
 * Cuts what lies in `[first, end)` out of a run that was read. Cuts at fixed offsets make two
 * consumers that read the same backlog land the same files.
 */
export const cutRun = (run: RecordRun, first: number, end: number): Run => {
  let from = 0
  while (from < run.count && run.offsets[from]! < first) from++
  let to = from
  while (to < run.count && run.offsets[to]! < end) to++
  const last = to - 1
  return {
    partition: run.partition,
    first,
    next: Math.min(end, run.next),
    count: to - from,
    offsets: run.offsets.slice(from, to),
    timesMs: run.timesMs.slice(from, to),
    bytes: run.bytes,
    valueStart: run.valueStart.slice(from, to),
    valueEnd: run.valueEnd.slice(from, to),
    faults: run.faults.filter((fault) => fault.first >= first && fault.first < end),
    anchor: to > from ? { offset: run.offsets[last]!, crc32c: run.checksum(last) } : null
  }
}

/** Bytes of a run's values: its memory may hold other records too. */
export const valueBytesOf = ({ count, valueStart, valueEnd }: Run): number => {
  let bytes = 0
  // A null value ends before it starts.
  for (let index = 0; index < count; index++) {
    bytes += Math.max(0, valueEnd[index]! - valueStart[index]!)
  }
  return bytes
}
