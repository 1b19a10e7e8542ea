import type { Engine } from '../../lake/engine.ts'
import { quoted } from '../../lake/parquet-writer.ts'
import { DERIVED, deriveSql } from './rollups.ts'
import { DIMENSIONS, HISTOGRAMS, quotedList, SUMS } from './columns.ts'

/** Files that one statement reads: bounds what has to be done again when it fails. */
const FILES_AT_ONCE_MAX = 64

export type SourceFile = { location: string; path: string; version: number }

/** Takes settled windows into `cube.hours`. A file is taken in whole or not at all. */
export const loadHours = async (engine: Engine, files: readonly SourceFile[]): Promise<void> => {
  for (let first = 0; first < files.length; first += FILES_AT_ONCE_MAX) {
    const some = files.slice(first, first + FILES_AT_ONCE_MAX)
    const from = await relation(engine, some, 'MAP(SMALLINT, BIGINT)')
    const known = some.map(({ location, path }) => `(${quoted(location)}, ${quoted(path)})`)
    await engine.run(`CREATE OR REPLACE TEMP TABLE incoming AS
      SELECT k.path AS file, r.* EXCLUDE (filename, window_start),
        date_trunc('hour', r.window_start) AS window_start
      FROM (${from}) r JOIN (VALUES ${known.join(', ')}) AS k(location, path) ON k.location = r.filename`)
    await engine.run(`CREATE OR REPLACE TEMP TABLE sums AS
      SELECT row_number() OVER () AS number, * FROM (SELECT ${KEYS}, ${SUMMED} FROM incoming GROUP BY ALL)`)
    for (const name of HISTOGRAMS) await mergeHistogram(engine, name)
    const names = HISTOGRAMS.map((name) => `"merged_${name}".hist AS "${name}"`)
    const joins = HISTOGRAMS.map((name) => `LEFT JOIN temp."merged_${name}" USING (number)`)
    const derived = DERIVED.map((rollup) => deriveSql(rollup, 'sums'))
    await inTransaction(
      engine,
      `INSERT INTO cube.hours BY NAME
       SELECT s.* EXCLUDE (number), ${names.join(', ')} FROM sums s ${joins.join(' ')};
       ${derived.join(';\n')}`
    )
  }
  await engine.run('DROP TABLE IF EXISTS temp.incoming; DROP TABLE IF EXISTS temp.sums')
}

/** A file whose hours are in one table is in all of them. */
const inTransaction = async (engine: Engine, sql: string): Promise<void> => {
  await engine.run('BEGIN')
  try {
    await engine.run(sql)
    await engine.run('COMMIT')
  } catch (error) {
    await engine.run('ROLLBACK')
    throw error
  }
}

const KEYS = `file, window_start, ${quotedList(DIMENSIONS)}`
const SUMMED = SUMS.map((name) => `TRY_CAST(sum("${name}") AS BIGINT) AS "${name}"`).join(', ')
const SAME = ['file', 'window_start', ...DIMENSIONS]
  .map((key) => `s."${key}" IS NOT DISTINCT FROM i."${key}"`)
  .join(' AND ')

/** Adds up the bins of each row of `sums`. */
const mergeHistogram = (engine: Engine, name: string): Promise<void> =>
  engine.run(`CREATE OR REPLACE TEMP TABLE "merged_${name}" AS
    SELECT number, map(list(bin ORDER BY bin), list(n ORDER BY bin)) AS hist FROM (
      SELECT s.number, i.entry.key AS bin, sum(i.entry.value)::BIGINT AS n
      FROM (SELECT ${KEYS}, unnest(map_entries("${name}")) AS entry FROM incoming) i
      JOIN sums s ON ${SAME}
      GROUP BY ALL
    ) GROUP BY number`)

/** Takes flushed windows of hours that are not settled through them into `live.fresh`. */
export const loadFresh = async (engine: Engine, files: readonly SourceFile[]): Promise<void> => {
  for (let first = 0; first < files.length; first += FILES_AT_ONCE_MAX) {
    const some = files.slice(first, first + FILES_AT_ONCE_MAX)
    const from = await relation(engine, some, 'SMALLINT[]')
    const known = some.map(
      ({ location, path, version }) => `(${quoted(location)}, ${quoted(path)}, ${version}::BIGINT)`
    )
    await engine.run(`INSERT INTO live.fresh BY NAME
      SELECT k.path AS file, k.version, r.* EXCLUDE (filename)
      FROM (${from}) r
      JOIN (VALUES ${known.join(', ')}) AS k(location, path, version) ON k.location = r.filename
      LEFT JOIN settled_hours h ON h.hour = date_trunc('hour', r.window_start)
      WHERE h.through IS NULL OR k.version > h.through`)
  }
}

/** Files as one relation with all columns of the cube; what a file does not hold is null. */
const relation = async (
  engine: Engine,
  files: readonly SourceFile[],
  histogramType: string
): Promise<string> => {
  const locations = files.map(({ location }) => quoted(location)).join(', ')
  const from = `read_parquet([${locations}], filename = true, union_by_name = true)`
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
