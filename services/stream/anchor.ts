import type { EventLog, PartitionState, RecordRun } from './log.ts'

/** The record that was taken last: a log that has it at its place is the same up to there. */
export type Anchor = { offset: number; crc32c: number }

/** What the log says of an anchor. */
export type AnchorSeen = 'same' | 'other' | 'absent'

/** The same, and under which leader; null where nothing was read. */
export type Sought = { seen: AnchorSeen; leader: number | null }

/** One record is enough to recognise a log; batches come whole, so the bound is a small one. */
const ANCHOR_BYTES_MAX = 1

/** The anchor behind a run, or the one before it where the run has no record. */
export const anchorBehind = (run: RecordRun, before: Anchor | null): Anchor | null => {
  const last = run.count - 1
  return last < 0 ? before : { offset: run.offsets[last]!, crc32c: run.checksum(last) }
}

/**
 * Looks an anchor up again, in a partition of the same topic (its incarnation).
 * @throws as the log's `read` does.
 */
export const seekAnchor = async (
  log: Pick<EventLog, 'read'>,
  topic: string,
  state: PartitionState,
  anchor: Anchor | null
): Promise<Sought> => {
  if (anchor === null || anchor.offset < state.start || anchor.offset >= state.end)
    return { seen: 'absent', leader: null }
  const run = await log.read(topic, state.partition, anchor.offset, {
    bytesMax: ANCHOR_BYTES_MAX,
    waitMsMax: 0,
    incarnation: state.incarnation
  })
  if (run.count === 0) return { seen: 'absent', leader: run.leader }
  const isSame = run.offsets[0] === anchor.offset && run.checksum(0) === anchor.crc32c
  return { seen: isSame ? 'same' : 'other', leader: run.leader }
}
