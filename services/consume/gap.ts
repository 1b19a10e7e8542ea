import type { Range } from '../lake/commit.ts'
import type { AnchorSeen } from '../stream/anchor.ts'
import type { PartitionState } from '../stream/log.ts'

/** Records that the log took away before they were landed, or took back afterwards. */
export type Gap = {
  first: number
  next: number
  reason: 'retention' | 'truncation' | 'recreation'
  detail: string
  noticedAfterMs: number | null
}

/** Where to read on, and what is missing on the way there. */
export type Resumption = { next: number; gap: Gap | null; adopt: boolean }

/**
 * Decides where a partition goes on. The lake is the truth for offsets; a log that no longer fits
 * them was recreated, truncated or trimmed. Then reading starts at the first record that can
 * not have been landed, and what may be missing is said in a gap. Records landed twice on that
 * way are removed by their ids when their hours are settled.
 */
export const resume = (
  stored: Range | undefined,
  state: PartitionState,
  anchor: AnchorSeen
): Resumption => {
  if (stored === undefined) return { next: state.start, gap: null, adopt: false }
  if (stored.incarnation !== state.incarnation) return recreated(stored, state)
  if (stored.next < state.start) return trimmed(stored, state)
  if (stored.next > state.end) return truncated(stored, state, `the log ends at ${state.end}`)
  if (anchor === 'other') {
    return truncated(stored, state, `the record before ${stored.next} is not the one landed`)
  }
  return { next: stored.next, gap: null, adopt: false }
}

const recreated = (stored: Range, state: PartitionState): Resumption => ({
  next: state.start,
  adopt: true,
  gap: {
    first: stored.next,
    // How far the old topic went is unknown: the gap names its beginning.
    next: stored.next,
    reason: 'recreation',
    detail: `topic ${stored.incarnation} is gone, ${state.incarnation} stands in its place`,
    noticedAfterMs: stored.appendedUntilMs
  }
})

const trimmed = (stored: Range, state: PartitionState): Resumption => ({
  next: state.start,
  adopt: true,
  gap: {
    first: stored.next,
    next: state.start,
    reason: 'retention',
    detail: `${state.start - stored.next} offsets were removed before they were read`,
    noticedAfterMs: stored.appendedUntilMs
  }
})

const truncated = (stored: Range, state: PartitionState, seen: string): Resumption => ({
  next: state.start,
  adopt: true,
  gap: {
    first: stored.next,
    next: stored.next,
    reason: 'truncation',
    detail: `${seen}; read again from ${state.start}`,
    noticedAfterMs: stored.appendedUntilMs
  }
})
