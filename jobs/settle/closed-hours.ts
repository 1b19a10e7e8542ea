import type { Head } from '../../services/lake/commit.ts'
import type { PartitionState } from '../../services/stream/log.ts'

export const HOUR_MS = 3_600_000
/**
 * An hour stays open for an hour and ten minutes after its end: events are sent late, and the log
 * takes a moment. What comes later still settles its hour again.
 */
export const CLOSING_DELAY_MS = 70 * 60_000

/**
 * Start of the first hour that is still open, milliseconds since the epoch: all hours before it are
 * closed. A partition that is read to its end can hold nothing older than now; any other one
 * has come as far as its latest append time. Null = nothing is known yet.
 */
export const openFrom = (
  head: Head,
  partitions: readonly (PartitionState & { topic: string })[],
  nowMs: number
): number | null => {
  let reachedMs = Infinity
  for (const { topic, partition, end, start } of partitions) {
    const position = head.positions.get(`${topic}/${partition}`)
    const isIdle = (position?.next ?? start) >= end
    reachedMs = Math.min(reachedMs, isIdle ? nowMs : (position?.appendedUntilMs ?? -Infinity))
  }
  if (!Number.isFinite(reachedMs)) return null
  return Math.floor((reachedMs - CLOSING_DELAY_MS) / HOUR_MS) * HOUR_MS
}
