import type { Commit, Head, Range, TableFile } from '../lake/commit.ts'
import type { Lake } from '../lake/lake.ts'
import type { Gap } from './gap.ts'
import type { Pending } from './pending.ts'

/** Turns what was read into files of the lake's tables: published, and invisible until a commit. */
export type TableEncoder = {
  /** The files of a flush, a function of the pending records and the generation alone. */
  batch: (pending: Pending) => Promise<TableFile[]>
  /** The row that says what a partition lost before `range`. */
  gap: (range: Range, gap: Gap) => Promise<TableFile[]>
}

export type FlushDoors = { lake: Lake; generation: string; encoder: TableEncoder }

/** How a partition came out of a flush. */
export type Landed = {
  partition: number
  /** Where to go on reading. */
  next: number
  /** False when another consumer had landed these records: ours were left out. */
  ours: boolean
}

/**
 * Lands what is pending as one commit. The files are a function of the records and the generation
 * alone. When the head shows that another consumer was first in a partition, that partition is
 * left out and the files are written anew: rows of a zombie are never visible.
 */
export const flush = async (doors: FlushDoors, pending: Pending): Promise<Landed[]> => {
  const before = pending.ranges()
  const lost = new Map<number, number>()
  let files: TableFile[] | null = null
  await doors.lake.commit(async (head) => {
    const stale = pending.ranges().filter((range) => !continues(head, range))
    for (const range of stale) {
      lost.set(range.partition, positionOf(head, range)?.next ?? 0)
      pending.drop(range.partition)
    }
    if (stale.length > 0) files = null
    const ranges = pending.ranges().map((range) => carried(head, range))
    if (ranges.length === 0) return null
    files ??= await doors.encoder.batch(pending)
    return commitOf(doors.generation, ranges, files)
  })
  pending.clear()
  return before.map(({ partition, next }) => {
    const theirs = lost.get(partition)
    return { partition, next: theirs ?? next, ours: theirs === undefined }
  })
}

const positionOf = (head: Head, { topic, partition }: Range): Range | undefined =>
  head.positions.get(`${topic}/${partition}`)

const continues = (head: Head, range: Range): boolean => {
  const stored = positionOf(head, range)
  if (stored === undefined) return true
  return stored.incarnation === range.incarnation && stored.next === range.first
}

/** The last anchor and append time stay known when a range held no record. */
const carried = (head: Head, range: Range): Range => {
  const stored = positionOf(head, range)
  if (stored === undefined || stored.incarnation !== range.incarnation) return range
  return {
    ...range,
    anchor: range.anchor ?? stored.anchor,
    appendedUntilMs: latest(range.appendedUntilMs, stored.appendedUntilMs),
    watermarkMs: latest(range.watermarkMs, stored.watermarkMs)
  }
}

const latest = (a: number | null, b: number | null): number | null =>
  a === null ? b : b === null ? a : Math.max(a, b)

const commitOf = (generation: string, ranges: Range[], adds: TableFile[]): Commit => ({
  kind: 'flush',
  generation,
  ranges,
  adds,
  removes: [],
  state: {}
})
