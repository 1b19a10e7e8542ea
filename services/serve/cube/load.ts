import type { Engine } from '../../lake/engine.ts'
import { quoted } from '../../lake/parquet-writer.ts'
import { DIMENSIONS, HISTOGRAM_TYPE, HISTOGRAMS, SUMS } from './columns.ts'
import { mergeSql, type Constants } from './merge.ts'
import { FULL, hoursSql, rollupsWith, tableOf } from './rollups.ts'

export type SourceFile = { location: string; path: string; rows: number }
/** A file of settled windows, by the number that its rows have in the cube. */
export type NumberedFile = SourceFile & { number: number; fromMs: number; toMs: number }

const KEYS = ['file', 'window_start', ...DIMENSIONS]

/** Takes settled windows into the cube's hours. Files are taken in whole or not at all. */
export const loadHours = async (engine: Engine, files: readonly NumberedFile[]): Promise<void> => {
  const constants = await constantsOf(engine, files)
  const first = files[0]?.number ?? 0
  const windows = `(SELECT * REPLACE (date_trunc('hour', window_start) AS window_start),
      (file_index + ${first})::INTEGER AS file
    FROM ${parquet(files)})`
  const numbers = files.map(({ number }) => number).join(', ')
  const taken = `(FROM ${tableOf(FULL, 'hours')} WHERE file IN (${numbers}))`
  const rows = files.map(
    ({ number, path, fromMs, toMs }) => `(${number}, ${quoted(path)}, ${fromMs}, ${toMs})`
  )
  await inTransaction(engine, [
    `INSERT INTO ${tableOf(FULL, 'hours')} BY NAME ${mergeSql(windows, KEYS, constants)}`,
    ...rollupsWith('hours')
      .filter((one) => one !== FULL)
      .map((one) => hoursSql(one, taken, constants)),
    `INSERT INTO cube.files VALUES ${rows.join(', ')}`
  ])
}

/**
 * Columns in which files say nothing, by their statistics: of eighty, a lake has values in half, and
 * adding up what is not there costs as much as what is.
 */
const constantsOf = async (engine: Engine, files: readonly SourceFile[]): Promise<Constants> => {
  const locations = files.map(({ location }) => quoted(location)).join(', ')
  const rows = await engine.rows(`SELECT split_part(path_in_schema, ',', 1) AS name,
      bool_and(stats_null_count = num_values) AS is_empty,
      bool_and(stats_null_count = 0 AND stats_min_value = '0' AND stats_max_value = '0')
        AND count(DISTINCT file_name) = ${files.length} AS is_zero
    FROM parquet_metadata([${locations}]) GROUP BY 1`)
  const seen = new Map(rows.map((row) => [row['name'], row]))
  const constants = new Map<string, 'NULL' | '0'>()
  for (const name of [...DIMENSIONS, ...SUMS, ...HISTOGRAMS]) {
    const row = seen.get(name)
    if (row === undefined || row['is_empty'] === true) constants.set(name, 'NULL')
    else if (row['is_zero'] === true && SUMS.includes(name)) constants.set(name, '0')
  }
  return constants
}

const parquet = (files: readonly Pick<SourceFile, 'location'>[]): string =>
  `read_parquet([${files.map(({ location }) => quoted(location)).join(', ')}], filename = true, union_by_name = true)`

/** What is in one table of the cube is in all of them. */
export const inTransaction = async (
  engine: Engine,
  statements: readonly string[]
): Promise<void> => {
  await engine.run('BEGIN')
  try {
    for (const sql of statements) await engine.run(sql)
    await engine.run('COMMIT')
  } catch (error) {
    await engine.run('ROLLBACK')
    throw error
  }
}

/** Takes flushed windows of hours that are not settled through them into `live.fresh`. */
export const loadFresh = async (
  engine: Engine,
  files: readonly (SourceFile & { version: number })[]
): Promise<void> => {
  const from = await windowsOf(engine, files, 'SMALLINT[]')
  const known = files.map(
    ({ location, path, version }) => `(${quoted(location)}, ${quoted(path)}, ${version}::BIGINT)`
  )
  await engine.run(`INSERT INTO live.fresh BY NAME
    SELECT k.path AS file, k.version, r.* EXCLUDE (filename)
    FROM (${from}) r
    JOIN (VALUES ${known.join(', ')}) AS k(location, path, version) ON k.location = r.filename
    LEFT JOIN live.settled h ON h.hour = date_trunc('hour', r.window_start)
    WHERE h.through IS NULL OR k.version > h.through`)
}

/** Files as one relation with all columns of windows; what a file does not hold is null. */
export const windowsOf = async (
  engine: Pick<Engine, 'rows'>,
  files: readonly Pick<SourceFile, 'location'>[],
  histogramType: string = HISTOGRAM_TYPE
): Promise<string> => {
  const from = parquet(files)
  const seen = await engine.rows(`DESCRIBE SELECT * FROM ${from}`)
  const present = new Set(seen.map((row) => row['column_name']))
  const column = (type: string) => (name: string) =>
    `${present.has(name) ? `"${name}"::${type}` : `NULL::${type}`} AS "${name}"`
  const columns = [
    'window_start',
    ...DIMENSIONS.map(column('VARCHAR')),
    ...SUMS.map(column('BIGINT')),
    ...HISTOGRAMS.map(column(histogramType)),
    'filename'
  ]
  return `SELECT ${columns.join(', ')} FROM ${from}`
}
