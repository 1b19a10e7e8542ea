import type { TableName } from '../../schemas/tables.ts'
import type { Commit, Head, LiveFile, TableFile } from '../../services/lake/commit.ts'
import type { Engine } from '../../services/lake/engine.ts'
import type { Lake } from '../../services/lake/lake.ts'
import { hourKey, settledHours, type SettledHour } from '../../services/lake/settled-hours.ts'
import type { PriceBook } from '../../services/rates/prices/book.ts'
import { HOUR_MS } from './closed-hours.ts'
import type { energy } from './energy.ts'
import type { PartMax } from './parts.ts'

/** What commits need. */
export type CommitDoors = { lake: Lake; generation: string }

export type SettleDoors = CommitDoors & {
  engine: Engine
  prices: PriceBook
  /** What estimates the hour's energy; another one only to tell what it costs. */
  estimate?: typeof energy
  /** What is worked on at once; less only for tests. */
  partMax?: PartMax
}

const US_PER_MS = 1000

/** Tables with files for each settled hour, one but for large hours; `conflicts` only grows. */
const HOUR_TABLES: readonly TableName[] = [
  'events_settled',
  'windows_settled',
  'prefixes_settled',
  'event_ids',
  'call_ids',
  'witnesses',
  'disagreements'
]

/** One hour worked out: published files that nobody sees yet, and what they hold. */
export type WorkedOut = {
  adds: TableFile[]
  counts: Pick<SettledHour, 'events' | 'merged' | 'disagreements'>
  /** Records left out here, beside those that were left out before. */
  dropped: number
  conflicting: number
  /** Other hours that have to be settled again, since a record here changes theirs. */
  again: readonly number[]
}

/** What settling asks of the rows of the lake; where the arithmetic is done, and by which language. */
export type SettleRows = {
  /** Starts of hours before a time that have rows beyond what they were settled through. */
  provisionalHours: (head: Head, untilMs: number) => Promise<number[]>
  /** Exact deduplication of one hour at a head, and windows rebuilt from what remains. */
  workOut: (head: Head, startMs: number) => Promise<WorkedOut>
  /** Versions of the lake of which some raw row is not settled. */
  openVersions: (head: Head) => Promise<ReadonlySet<number>>
}

/**
 * Settles one hour, in one commit. Runs again when rows came late; the result depends on the rows
 * alone, not on how often or in which pieces they were settled.
 * @returns the hour, or null when another settler settled one meanwhile.
 */
export const settleHour = async (
  { lake, generation }: CommitDoors,
  rows: SettleRows,
  { head, startMs }: { head: Head; startMs: number }
): Promise<SettledHour | null> => {
  const done = await rows.workOut(head, startMs)
  const hour = settledHour(done, { head, startMs, generation })
  const removes = HOUR_TABLES.flatMap((table) => filesOf(head, table, startMs))
  const version = await lake.commit((now): Commit | null => {
    if (isSettledSince(now, head)) return null
    const { startMs: _, ...stored } = hour
    const resettle = Object.fromEntries(done.again.map((other) => [resettleKey(other), true]))
    const state = { ...resettle, [hourKey(startMs)]: stored, [resettleKey(startMs)]: null }
    return { kind: 'settle', generation, ranges: [], adds: done.adds, removes, state }
  })
  return version === null ? null : hour
}

const settledHour = (
  { counts, dropped, conflicting }: WorkedOut,
  { head, startMs, generation }: { head: Head; startMs: number; generation: string }
): SettledHour => {
  const before = settledHours(head).find((hour) => hour.startMs === startMs)
  return {
    startMs,
    through: head.version,
    events: counts.events,
    duplicates: (before?.duplicates ?? 0) + dropped - conflicting,
    conflicts: (before?.conflicts ?? 0) + conflicting,
    merged: counts.merged,
    disagreements: counts.disagreements,
    generation,
    next: Object.fromEntries([...head.positions].map(([key, { next }]) => [key, next]))
  }
}

/** Marks an hour that a record in another hour changes: one it repeats, or another witness of its call. */
export const resettleKey = (startMs: number): string =>
  `resettle/${new Date(startMs).toISOString()}`

/**
 * Whether another settler settled any hour meanwhile. Another hour matters as well: it may have marked
 * this one, for records that were not looked at here, and the mark would be wiped away.
 */
const isSettledSince = (now: Head, then: Head): boolean =>
  JSON.stringify(settledHours(now)) !== JSON.stringify(settledHours(then))

const filesOf = (head: Head, table: TableName, startMs: number): LiveFile[] =>
  [...(head.files.get(table)?.values() ?? [])].filter(
    ({ timeUsMin }) =>
      timeUsMin !== null && Math.floor(timeUsMin / US_PER_MS / HOUR_MS) * HOUR_MS === startMs
  )
