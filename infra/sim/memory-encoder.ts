import type { ColumnData } from '../../services/lake/columns.ts'
import type { TableFile } from '../../services/lake/commit.ts'
import type { Disk } from '../../services/lake/disk.ts'
import type { Lake } from '../../services/lake/lake.ts'
import type { TableEncoder } from '../../services/consume/flush.ts'
import type { Gap } from '../../services/consume/gap.ts'
import type { Pending } from '../../services/consume/pending.ts'
import { writeScratch } from './disk.ts'
import type { TableName } from '../../schemas/tables.ts'

/** A row of `events_raw` as the simulation keeps it: what tells whether it is lost or doubled. */
export type EventRow = { incarnation: string; partition: number; offset: number; id: string }
export type GapRow = Gap & { partition: number; incarnation: string }

/** Promises that an encoder breaks, for planted bugs. */
export type EncoderBugs = { losesLastRow?: boolean; hidesGaps?: boolean }

/** The lake's tables as JSON: the same port as the Parquet encoder, without a database. */
export const memoryEncoder = (lake: Lake, disk: Disk, bugs: EncoderBugs = {}): TableEncoder => {
  const land = async (table: TableName, rows: readonly object[]): Promise<TableFile[]> => {
    const staged = await lake.stage(table)
    await writeScratch(disk, staged.local, JSON.stringify(rows))
    const content = { rows: rows.length, timeUsMin: null, timeUsMax: null }
    return [await lake.publish(staged, content)]
  }
  return {
    batch: async (pending) => {
      const rows = eventRows(pending)
      if (bugs.losesLastRow === true) rows.pop()
      return rows.length === 0 ? [] : land('events_raw', rows)
    },
    gap: async ({ partition, incarnation }, gap) =>
      bugs.hidesGaps === true ? [] : land('gaps', [{ ...gap, partition, incarnation }])
  }
}

const eventRows = (pending: Pending): EventRow[] => {
  const incarnations = new Map(
    pending.ranges().map(({ partition, incarnation }) => [partition, incarnation])
  )
  const { names, segments } = pending.segments()
  return segments.flatMap(({ rows, columns }) => {
    const column = (name: string): ColumnData => columns[names.indexOf(name)]!
    const [partitions, offsets, ids] = ['partition', 'offset', 'id'].map(column)
    return Array.from({ length: rows }, (_, row) => {
      const partition = Number(valueAt(partitions!, row))
      const offset = Number(valueAt(offsets!, row))
      const incarnation = incarnations.get(partition)!
      return { incarnation, partition, offset, id: String(valueAt(ids!, row)) }
    })
  })
}

const valueAt = (column: ColumnData, row: number): number | string => {
  switch (column.type) {
    case 'INTEGER':
    case 'DOUBLE':
      return column.values[row]!
    case 'BIGINT':
      return column.values[2 * row]! + column.values[2 * row + 1]! * 2 ** 32
    case 'VARCHAR': {
      const { heap, starts, ends } = column.text
      return Buffer.from(heap.subarray(starts[row], ends[row])).toString()
    }
    default:
      throw new Error(`the simulation reads no column of ${column.type}`)
  }
}
