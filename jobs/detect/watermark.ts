import type { Head } from '../../services/lake/commit.ts'
import type { PartitionState } from '../../services/stream/log.ts'

export const MINUTE_MS = 60_000
/** How long a minute stays open for detection after its end: what comes later is only counted. */
export const LATENESS_MS = 30_000

/**
 * Event time before which every minute is closed for detection. A partition that still holds
 * unread records has come as far as the latest event read from it. When all are read to the end,
 * the last minute with events closes once the clock is past it.
 * @returns milliseconds since the epoch, at a full minute; null when nothing is closed.
 */
export const closedUntil = (
  head: Head,
  partitions: readonly (PartitionState & { topic: string })[],
  nowMs: number
): number | null => {
  let reachedMs = Infinity
  let latestMs = -Infinity
  for (const { topic, partition, start, end } of partitions) {
    const position = head.positions.get(`${topic}/${partition}`)
    latestMs = Math.max(latestMs, position?.watermarkMs ?? -Infinity)
    const isIdle = (position?.next ?? start) >= end
    if (!isIdle) reachedMs = Math.min(reachedMs, position?.watermarkMs ?? -Infinity)
  }
  // A partition of which nothing was read yet holds everything back: the clock counts for none.
  const closedMs = (reachedMs === Infinity ? nowMs : reachedMs) - LATENESS_MS
  const lastEndMs = (Math.floor(latestMs / MINUTE_MS) + 1) * MINUTE_MS
  const untilMs = Math.min(Math.floor(closedMs / MINUTE_MS) * MINUTE_MS, lastEndMs)
  return Number.isFinite(untilMs) ? untilMs : null
}
