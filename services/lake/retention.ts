import type { Head } from './commit.ts'
import { VERSION_AGE_MS_MAX, fileKey, type Fold, type Tombstone } from './head.ts'

/**
 * What may go, decided without touching anything. A file stays while the head, a pinned version
 * or any version younger than 7 days refers to it; a log keeps what is needed to read each such
 * version.
 */

/**
 * A file that no commit names is taken for lost work after a day: no writer holds a finished file
 * for longer, and one that slept is told at its commit that the file is gone.
 */
export const ORPHAN_AGE_MS_MIN = 24 * 60 * 60 * 1000

/** A saved head or checkpoint. */
export type Mark = { version: number; modifiedMs: number }

/** The newest marks serve readers that open now; the last but one serves if it is damaged. */
const NEWEST_MARKS = 3

/** In between, one mark for so many versions keeps reading an old version below a second. */
const MARK_SPACING = 1000

export type MarkPlan = {
  /** Versions from here on stay readable; commits before may go. Null: nothing may go yet. */
  base: number | null
  drops: number[]
}

/** Which saved heads or checkpoints of one log are still needed; marks rise by version. */
export const planMarks = (
  marks: readonly Mark[],
  nowMs: number,
  pinned: readonly number[] = []
): MarkPlan => {
  const oldMs = nowMs - VERSION_AGE_MS_MAX
  const base = marks.findLast(({ modifiedMs }) => modifiedMs <= oldMs)?.version ?? null
  const versions = marks.map(({ version }) => version)
  const newest = new Set(versions.slice(-NEWEST_MARKS))
  const keeps = (version: number): boolean =>
    version >= (base ?? 0) &&
    (version === base || newest.has(version) || version % MARK_SPACING === 0)
  const drops = versions.filter((version) => !keeps(version) && !pinned.includes(version))
  return { base, drops }
}

/**
 * Bytes of quarantined records leave the disk 7 days after they came: their files are replaced
 * after 6 days and kept one day more for queries that run. Earlier versions show the quarantine of
 * now.
 */
export const QUARANTINE_AGE_MS_MAX = 6 * 24 * 60 * 60 * 1000
const QUARANTINE_GRACE_MS = VERSION_AGE_MS_MAX - QUARANTINE_AGE_MS_MAX

const graceMs = ({ table }: Tombstone): number =>
  table === 'quarantine' ? QUARANTINE_GRACE_MS : VERSION_AGE_MS_MAX

/** Keys `table/path` of all files that must stay. */
export const neededFiles = (
  heads: readonly Head[],
  tombstones: Iterable<Tombstone>,
  nowMs: number
): Set<string> => {
  const needed = new Set<string>()
  for (const head of heads) {
    for (const byPath of head.files.values()) {
      for (const file of byPath.values()) needed.add(fileKey(file))
    }
  }
  for (const tombstone of tombstones) {
    if (nowMs - tombstone.removedMs < graceMs(tombstone)) needed.add(fileKey(tombstone))
  }
  return needed
}

/** Whether every file of an earlier head must still be there. */
export const isReadable = (head: Head, now: Fold, nowMs: number): boolean => {
  const needed = neededFiles([now.head], now.tombstones.values(), nowMs)
  return [...head.files.values()].every((byPath) =>
    [...byPath.values()].every((file) => needed.has(fileKey(file)))
  )
}
