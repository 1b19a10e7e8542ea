import type { Snapshot } from './snapshots.ts'
import { MINUTE_MS } from './watermark.ts'

/**
 * When states are written: small ones at every step, large ones when enough was folded since. Those
 * that began together would all be due at once, and whoever writes them folds nothing ahead: between
 * two minutes one is written, each as late as leaves room for the others.
 */

export type SnapshotPolicy = {
  /** States up to this many bytes are written at every step: it costs less than folding again. */
  smallBytesMax: number
  /** Event time folded since a large state was written, after which it is due. */
  largeAgeMs: number
}

export const SNAPSHOT_POLICY: SnapshotPolicy = {
  smallBytesMax: 256 << 10,
  largeAgeMs: 10 * MINUTE_MS
}

/**
 * When states are written: with a minute's findings, on which somebody waits; between minutes; or by
 * one who leaves.
 */
export type Moment = 'close' | 'idle' | 'leave'

export type DueOptions = {
  /** Event time at which folding began that no state is written of yet. */
  sinceMs: number
  untilMs: number
  moment: Moment
  policy: SnapshotPolicy
}

/** A close leaves large states to idle moments for so much longer; in a backlog there are none. */
const CLOSE_FACTOR = 1.5

/** Signals whose state is to be written, given what is written of them. */
export const dueSignals = (
  ids: readonly string[],
  snapshots: ReadonlyMap<string, Snapshot>,
  options: DueOptions
): string[] => {
  const { sinceMs, untilMs, moment, policy } = options
  // How large the first ones are nobody knows: none is written while somebody waits for findings.
  if (snapshots.size === 0) {
    const isDue = moment !== 'close' || untilMs - sinceMs >= CLOSE_FACTOR * policy.largeAgeMs
    return isDue ? [...ids] : []
  }
  const shared = [...snapshots.values()].flatMap(({ paths }) => paths)
  const isLarge = ({ paths, bytes }: Snapshot): boolean =>
    bytes > policy.smallBytesMax &&
    paths.every((path) => shared.indexOf(path) === shared.lastIndexOf(path))
  const large = ids.filter((id) => snapshots.has(id) && isLarge(snapshots.get(id)!))
  const waiting = new Set(large)
  const ages = large
    .map((id) => ({ id, ageMs: untilMs - snapshots.get(id)!.untilMs }))
    .sort((a, b) => b.ageMs - a.ageMs)
  return [...ids.filter((id) => !waiting.has(id)), ...dueLarge(ages, options)]
}

type Age = { id: string; ageMs: number }

/** Of large states, the oldest first, those that are to be written now: one at most, but by one who leaves. */
const dueLarge = (ages: readonly Age[], { moment, policy }: DueOptions): string[] => {
  if (moment === 'leave') return ages.filter(({ ageMs }) => ageMs > 0).map(({ id }) => id)
  const [oldest] = ages
  if (oldest === undefined) return []
  // As after a backlog, which is one step: what is not written now, the next closes would write.
  const isOverdue = oldest.ageMs >= CLOSE_FACTOR * policy.largeAgeMs
  if (moment === 'close' || isOverdue) return isOverdue ? [oldest.id] : []
  const wasOneWritten = ages.some(({ ageMs }) => ageMs === 0)
  const isDue = ages.some(({ ageMs }, place) => ageMs + place * MINUTE_MS >= policy.largeAgeMs)
  return isDue && !wasOneWritten ? [oldest.id] : []
}
