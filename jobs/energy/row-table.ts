import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Column } from '../../schemas/tables.ts'
import type { Engine } from '../../services/lake/engine.ts'
import { quoted } from '../../services/lake/parquet-writer.ts'
import type { RowValue } from '../row-select.ts'

/** Cells joined at a time, so that a day of readings is never one string twice. */
const ROWS_PER_WRITE = 20_000

/**
 * Makes the temporary table `name` of many rows, in their order, through a file that is removed:
 * a day of readings is far too many for values in a statement. Columns that a row lacks are null.
 */
export const rowTable = async (
  engine: Engine,
  name: string,
  columns: readonly Column[],
  rows: readonly Readonly<Record<string, RowValue>>[]
): Promise<void> => {
  const types = columns.map((column) => `${quoted(column.name)}: ${quoted(column.type)}`)
  const folder = await mkdtemp(path.join(tmpdir(), 'tally-rows-'))
  try {
    const file = path.join(folder, 'rows.csv')
    await writeFile(file, '')
    for (let from = 0; from < rows.length; from += ROWS_PER_WRITE) {
      const lines = rows.slice(from, from + ROWS_PER_WRITE).map((row) => lineOf(columns, row))
      await writeFile(file, lines.join(''), { flag: 'a' })
    }
    await engine.run(`CREATE OR REPLACE TEMP TABLE "${name}" AS FROM read_csv(${quoted(file)},
      columns = {${types.join(', ')}}, auto_detect = false, header = false, delim = ',',
      quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false, parallel = false)`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const lineOf = (columns: readonly Column[], row: Readonly<Record<string, RowValue>>): string =>
  `${columns.map(({ name }) => cellOf(row[name] ?? null)).join(',')}\n`

// A NUL can not pass a text file; no name of a host or GPU has one, and ids are joined by row.
const cellOf = (value: RowValue): string => {
  if (value === null) return ''
  return typeof value === 'string' ? `"${value.replaceAll('"', '""')}"` : String(value)
}
