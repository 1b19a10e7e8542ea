import type { Head } from '../../services/lake/commit.ts'
import type { PartitionState } from '../../services/stream/log.ts'

export const MINUTE_MS = 60_000
export const minuteOf = (ms: number): number => Math.floor(ms / MINUTE_MS) * MINUTE_MS

/** How long a minute stays open for detection after its end: what comes later is only counted. */
export const LATENESS_MS = 30_000

/** Partitions of the log as they are now. */
type Partitions = readonly (PartitionState & { topic: string })[]

/**
 * Event time before which everything is known. A partition that still holds unread records has
 * come as far as the latest event read from it; when all are read to the end, the clock counts.
 * @returns milliseconds since the epoch; null when nothing of some partition was read yet.
 */
export const reachedUntil = (head: Head, partitions: Partitions, nowMs: number): number | null => {
  const { reachedMs } = progress(head, partitions, nowMs)
  return Number.isFinite(reachedMs) ? reachedMs : null
}

/**
 * Event time before which every minute is closed for detection: what is reached, but no further
 * than the end of the last minute with events.
 * @returns milliseconds since the epoch, at a full minute; null when nothing is closed.
 */
export const closedUntil = (head: Head, partitions: Partitions, nowMs: number): number | null => {
  const { reachedMs, latestMs } = progress(head, partitions, nowMs)
  const untilMs = Math.min(minuteOf(reachedMs), minuteOf(latestMs) + MINUTE_MS)
  return Number.isFinite(untilMs) ? untilMs : null
}

const progress = (head: Head, partitions: Partitions, nowMs: number) => {
  let reachedMs = Infinity
  let latestMs = -Infinity
  for (const { topic, partition, start, end } of partitions) {
    const position = head.positions.get(`${topic}/${partition}`)
    latestMs = Math.max(latestMs, position?.watermarkMs ?? -Infinity)
    const isIdle = (position?.next ?? start) >= end
    if (!isIdle) reachedMs = Math.min(reachedMs, position?.watermarkMs ?? -Infinity)
  }
  // A partition of which nothing was read yet holds everything back: the clock counts for none.
  return { reachedMs: (reachedMs === Infinity ? nowMs : reachedMs) - LATENESS_MS, latestMs }
}
