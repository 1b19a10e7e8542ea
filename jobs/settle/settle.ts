import type { Head, TableFile } from '../../services/lake/commit.ts'
import { settledHours, type SettledHour } from '../../services/lake/settled-hours.ts'
import type { PartitionState } from '../../services/stream/log.ts'
import { openFrom } from './closed-hours.ts'
import {
  resettleKey,
  settleHour,
  type CommitDoors,
  type SettleDoors,
  type SettleRows
} from './settle-hour.ts'
import { sqlRows } from './sql-rows.ts'

export type SettleOptions = {
  /** Partitions of the log now: says which of them are read to their end. */
  partitions: readonly (PartitionState & { topic: string })[]
  nowMs: number
  onHour?: (hour: SettledHour) => void
}

/** Settles what is due, by SQL. */
export const settle = (doors: SettleDoors, options: SettleOptions): Promise<SettledHour[]> =>
  settleRows(doors, sqlRows(doors), options)

/**
 * Settles every closed hour that has rows beyond what it was settled through, and lets raw files
 * go whose rows are all settled. May run twice or be cut off anywhere: what is committed stays,
 * what is not is done by the next run.
 * @returns the hours settled, oldest first.
 */
export const settleRows = async (
  doors: CommitDoors,
  rows: SettleRows,
  { partitions, nowMs, onHour }: SettleOptions
): Promise<SettledHour[]> => {
  const done: SettledHour[] = []
  for (;;) {
    const head = await doors.lake.head()
    const openFromMs = openFrom(head, partitions, nowMs)
    if (openFromMs === null) return done
    const [startMs] = await dueHours(rows, head, openFromMs)
    if (startMs === undefined) break
    const hour = await settleHour(doors, rows, { head, startMs })
    if (hour === null) continue
    done.push(hour)
    onHour?.(hour)
  }
  await dropSettledFiles(doors, rows)
  return done
}

/** Closed hours with provisional rows, or with a record that an earlier one elsewhere replaces. */
const dueHours = async (rows: SettleRows, head: Head, openFromMs: number): Promise<number[]> => {
  const provisional = await rows.provisionalHours(head, openFromMs)
  const marked = settledHours(head)
    .map(({ startMs }) => startMs)
    .filter((startMs) => head.state.get(resettleKey(startMs)) === true)
  return [...new Set([...provisional, ...marked])].sort((a, b) => a - b)
}

const RAW_TABLES = ['events_raw', 'windows_raw', 'prefixes_raw'] as const

/** Raw files whose every hour is settled through the version that added them. */
const dropSettledFiles = async (
  { lake, generation }: CommitDoors,
  rows: SettleRows
): Promise<void> => {
  await lake.commit(async (head) => {
    const open = await rows.openVersions(head)
    const removes: Pick<TableFile, 'table' | 'path'>[] = RAW_TABLES.flatMap((table) =>
      [...(head.files.get(table)?.values() ?? [])].filter(({ version }) => !open.has(version))
    )
    if (removes.length === 0) return null
    return { kind: 'settle', generation, ranges: [], adds: [], removes, state: {} }
  })
}
