import type { TableName } from '../../schemas/tables.ts'
import type { TableFile } from './commit.ts'
import type { Engine } from './engine.ts'
import type { Lake, Staged } from './lake.ts'
import { quoted, type ParquetWriter } from './parquet-writer.ts'

/**
 * Settings of every Parquet file; they decide its bytes. Version 2 pages and zstd level 1 cost least
 * CPU a row. Values that hardly repeat leave the dictionary early, since collecting one costs more
 * than it saves: with a limit of 20,000 values, landing took a quarter more CPU.
 */
export const PARQUET_OPTIONS =
  'FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, PARQUET_VERSION v2, DICTIONARY_SIZE_LIMIT 4000'

/** Writes a SELECT's rows, in their order, to a local file. */
export const parquetWriter =
  (engine: Engine): ParquetWriter =>
  async (select, localPath) =>
    engine.run(`COPY (${select}) TO ${quoted(localPath)} (${PARQUET_OPTIONS})`)

export type Selection = {
  table: TableName
  sql: string
  /** Column of the smallest and largest time; null when the table has none. */
  time: string | null
}

type LandingDoors = { engine: Engine; lake: Lake }

/** Lands a SELECT as one durable file of a table; null when it has no rows. */
export const landTable = async (
  doors: LandingDoors,
  selection: Selection
): Promise<TableFile | null> => {
  const staged = await doors.lake.stage(selection.table)
  try {
    return await landStaged(doors, staged, selection)
  } catch (error) {
    // A full disk must not stay full of our own leavings.
    await doors.lake.discard(staged).catch(() => undefined)
    throw error
  }
}

const landStaged = async (
  { engine, lake }: LandingDoors,
  staged: Staged,
  { sql, time }: Selection
): Promise<TableFile | null> => {
  await parquetWriter(engine)(sql, staged.local)
  const bounds = time === null ? 'NULL, NULL' : `epoch_us(min("${time}")), epoch_us(max("${time}"))`
  const [seen] = await engine.rows(
    `SELECT n, b[1] AS low, b[2] AS high FROM (SELECT count(*) AS n, [${bounds}]::BIGINT[] AS b FROM read_parquet(${quoted(staged.local)}))`
  )
  const rows = Number(seen?.['n'] ?? 0)
  if (rows === 0) {
    await lake.discard(staged)
    return null
  }
  const number = (value: unknown): number | null => (value === null ? null : Number(value))
  return lake.publish(staged, {
    rows,
    timeUsMin: number(seen?.['low']),
    timeUsMax: number(seen?.['high'])
  })
}
