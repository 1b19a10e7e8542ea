import type { ColumnData } from '../../services/lake/columns.ts'
import type { TableFile } from '../../services/lake/commit.ts'
import type { Disk } from '../../services/lake/disk.ts'
import type { Lake } from '../../services/lake/lake.ts'
import type { TableEncoder } from '../../services/consume/flush.ts'
import type { Gap } from '../../services/consume/gap.ts'
import type { Pending } from '../../services/consume/pending.ts'
import { writeScratch } from './disk.ts'
import type { TableName } from '../../schemas/tables.ts'

/** A row of `events_raw` and `events_settled` as the simulation keeps it. */
export type EventRow = {
  incarnation: string
  partition: number
  offset: number
  id: string
  timeMs: number
  appendMs: number
  tokens: number
}
export type GapRow = Gap & { partition: number; incarnation: string }

/** Promises that an encoder breaks, for planted bugs. */
export type EncoderBugs = { losesLastRow?: boolean; hidesGaps?: boolean }

/** The lake's tables as JSON: the same port as the Parquet encoder, without a database. */
export const memoryEncoder = (lake: Lake, disk: Disk, bugs: EncoderBugs = {}): TableEncoder => ({
  batch: async (pending) => {
    const rows = eventRows(pending)
    if (bugs.losesLastRow === true) rows.pop()
    return landEvents({ lake, disk }, rows, 'raw')
  },
  gap: async ({ partition, incarnation }, gap) =>
    bugs.hidesGaps === true
      ? []
      : [await landJson({ lake, disk }, 'gaps', [{ ...gap, partition, incarnation }])]
})

export type Shelf = { lake: Lake; disk: Disk }

/** Lands rows as one file of JSON; times in milliseconds say what it covers. */
export const landJson = async (
  { lake, disk }: Shelf,
  table: TableName,
  rows: readonly object[],
  timesMs: readonly number[] = []
): Promise<TableFile> => {
  const staged = await lake.stage(table)
  await writeScratch(disk, staged.local, JSON.stringify(rows))
  const bound = (of: (...values: number[]) => number): number | null =>
    timesMs.length === 0 ? null : of(...timesMs) * US_PER_MS
  const content = { rows: rows.length, timeUsMin: bound(Math.min), timeUsMax: bound(Math.max) }
  return lake.publish(staged, content)
}

const US_PER_MS = 1000
const MINUTE_MS = 60_000

export const minuteOf = (timeMs: number): number => Math.floor(timeMs / MINUTE_MS) * MINUTE_MS

/** Events, and the minutes that have some: what says where windows begin. */
export const landEvents = async (
  shelf: Shelf,
  rows: readonly EventRow[],
  kind: 'raw' | 'settled'
): Promise<TableFile[]> => {
  if (rows.length === 0) return []
  const timesMs = rows.map(({ timeMs }) => timeMs)
  const minutes = [...new Set(timesMs.map(minuteOf))].sort((a, b) => a - b)
  const windows = minutes.map((startMs) => ({ startMs }))
  return [
    await landJson(shelf, `events_${kind}`, rows, timesMs),
    await landJson(shelf, `windows_${kind}`, windows, minutes)
  ]
}

const eventRows = (pending: Pending): EventRow[] => {
  const incarnations = new Map(
    pending.ranges().map(({ partition, incarnation }) => [partition, incarnation])
  )
  const { names, segments } = pending.segments()
  return segments.flatMap(({ rows, columns }) => {
    const column = (name: string): ColumnData => columns[names.indexOf(name)]!
    const number = (name: string, row: number): number => Number(valueAt(column(name), row))
    return Array.from({ length: rows }, (_, row): EventRow => {
      const partition = number('partition', row)
      return {
        incarnation: incarnations.get(partition)!,
        partition,
        offset: number('offset', row),
        id: String(valueAt(column('id'), row)),
        timeMs: number('time', row) / US_PER_MS,
        appendMs: number('append_time', row) / US_PER_MS,
        tokens: number('in_uncached', row)
      }
    })
  })
}

const valueAt = (column: ColumnData, row: number): number | string => {
  switch (column.type) {
    case 'INTEGER':
    case 'DOUBLE':
      return column.values[row]!
    case 'BIGINT':
    case 'TIMESTAMP':
      return (column.values[2 * row]! >>> 0) + column.values[2 * row + 1]! * 2 ** 32
    case 'VARCHAR': {
      const { heap, starts, ends } = column.text
      return Buffer.from(heap.subarray(starts[row], ends[row])).toString()
    }
    default:
      throw new Error(`the simulation reads no column of ${column.type}`)
  }
}
