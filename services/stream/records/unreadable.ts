import type { UnreadableBatch } from '../log.ts'

/** Quarantined bytes are capped at this for each record. */
const QUARANTINED_BYTES_MAX = 64 * 1024

type Unreadable = {
  first: number
  next: number
  timeMs: number
  bytes: Uint8Array
  /** The error that says why, or the reason itself. */
  why: unknown
}

/** What a reader hands on in place of records that it can not vouch for. */
export const unreadable = ({ first, next, timeMs, bytes, why }: Unreadable): UnreadableBatch => ({
  first,
  next,
  timeMs,
  code: 'E_LOG_CORRUPT',
  reason: why instanceof Error ? why.message : String(why),
  // Copied, so that a small remnant does not keep a whole answer in memory.
  bytes: new Uint8Array(bytes.subarray(0, QUARANTINED_BYTES_MAX)),
  byteLength: bytes.length
})
