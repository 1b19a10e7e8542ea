import type { Engine } from '../../lake/engine.ts'
import { quoted } from '../../lake/parquet-writer.ts'
import { mergeSql } from './merge.ts'
import { DERIVED, deriveSql } from './rollups.ts'
import { DIMENSIONS, HISTOGRAMS, SUMS } from './columns.ts'

/** Rows of windows that one statement reads: with a hundred columns each, 200 MB while it runs. */
const ROWS_AT_ONCE_MAX = 100_000
/** Files that one statement names. */
const FILES_AT_ONCE_MAX = 64

export type SourceFile = { location: string; path: string; version: number; rows: number }

/** Files in parts that fit the memory; a file of more rows than that is a part of its own. */
const parts = (files: readonly SourceFile[]): SourceFile[][] => {
  const all: SourceFile[][] = []
  let rows = 0
  for (const file of files) {
    rows += file.rows
    const last = all.at(-1)
    if (last !== undefined && rows <= ROWS_AT_ONCE_MAX && last.length < FILES_AT_ONCE_MAX)
      last.push(file)
    else {
      all.push([file])
      rows = file.rows
    }
  }
  return all
}

/** Takes settled windows into `cube.hours`. A file is taken in whole or not at all. */
export const loadHours = async (engine: Engine, files: readonly SourceFile[]): Promise<void> => {
  for (const some of parts(files)) {
    const from = await relation(engine, some, 'MAP(SMALLINT, BIGINT)')
    const known = some.map(({ location, path }) => `(${quoted(location)}, ${quoted(path)})`)
    const incoming = `SELECT k.path AS file, r.* EXCLUDE (filename, window_start),
        date_trunc('hour', r.window_start) AS window_start
      FROM (${from}) r JOIN (VALUES ${known.join(', ')}) AS k(location, path) ON k.location = r.filename`
    await engine.run(
      `CREATE OR REPLACE TEMP TABLE incoming AS ${mergeSql(`(${incoming})`, DIMENSIONS, HISTOGRAMS)}`
    )
    const derived = DERIVED.map((rollup) => deriveSql(rollup, 'temp.incoming'))
    await inTransaction(
      engine,
      `INSERT INTO cube.hours BY NAME FROM temp.incoming;\n${derived.join(';\n')}`
    )
  }
  await engine.run('DROP TABLE IF EXISTS temp.incoming')
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

/** Takes flushed windows of hours that are not settled through them into `live.fresh`. */
export const loadFresh = async (engine: Engine, files: readonly SourceFile[]): Promise<void> => {
  for (const some of parts(files)) {
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
