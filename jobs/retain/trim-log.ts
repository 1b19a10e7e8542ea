import type { Head } from '../../services/lake/commit.ts'
import type { PartitionState } from '../../services/stream/log.ts'

/**
 * How long the embedded log keeps records that are landed: as long as Kafka does by default.
 * Until then a lake can be landed anew from it.
 */
export const LOG_AGE_MS_MAX = 7 * 24 * 60 * 60 * 1000

/**
 * Append time, milliseconds since the epoch, before which records of a log may go: those that are
 * old and landed. What is not landed stays, however old it is.
 */
export const trimBeforeMs = (
  head: Head,
  partitions: readonly (PartitionState & { topic: string })[],
  nowMs: number
): number => {
  let beforeMs = nowMs - LOG_AGE_MS_MAX
  for (const { topic, partition, incarnation, start, end } of partitions) {
    if (end === start) continue
    const position = head.positions.get(`${topic}/${partition}`)
    const isSame = position?.incarnation === incarnation
    if (isSame && position.next >= end) continue
    // Append times never go back, so all before the last one that was landed is landed.
    beforeMs = Math.min(beforeMs, isSame ? (position.appendedUntilMs ?? -Infinity) : -Infinity)
  }
  return beforeMs
}
