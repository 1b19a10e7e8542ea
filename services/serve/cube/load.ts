import type { Engine } from '../../lake/engine.ts'
import { quoted } from '../../lake/parquet-writer.ts'
import { DIMENSIONS, HISTOGRAMS, hourSums, quotedList, SUMS } from './columns.ts'

/** Files that one statement reads: bounds what has to be done again when it fails. */
const FILES_AT_ONCE_MAX = 256

export type SourceFile = { location: string; path: string; version: number }

/** Takes settled windows into `cube.hours`. */
export const loadHours = async (engine: Engine, files: readonly SourceFile[]): Promise<void> => {
  for (const file of files) {
    const from = await relation(engine, [file], 'MAP(SMALLINT, BIGINT)')
    await engine.run(`CREATE OR REPLACE TEMP TABLE incoming AS ${from}`)
    const joins = HISTOGRAMS.map((name, index) => histogramJoin(name, `h${index}`))
    const names = HISTOGRAMS.map((name, index) => `h${index}."${name}"`)
    await engine.run(`INSERT INTO cube.hours BY NAME
      SELECT ${quoted(file.path)} AS file, s.*, ${names.join(', ')}
      FROM (${hourSums('incoming')}) s ${joins.join('\n')}`)
  }
  await engine.run('DROP TABLE IF EXISTS temp.incoming')
}

/** The merged histogram of each hour and combination of dimensions. */
const histogramJoin = (name: string, alias: string): string => {
  const keys = `window_start, ${quotedList(DIMENSIONS)}`
  const same = ['window_start', ...DIMENSIONS]
    .map((key) => `s."${key}" IS NOT DISTINCT FROM ${alias}."${key}"`)
    .join(' AND ')
  return `LEFT JOIN (
    SELECT ${keys}, map(list(bin ORDER BY bin), list(n ORDER BY bin)) AS "${name}" FROM (
      SELECT ${keys}, entry.key AS bin, sum(entry.value)::BIGINT AS n FROM (
        SELECT date_trunc('hour', window_start) AS window_start, ${quotedList(DIMENSIONS)},
          unnest(map_entries("${name}")) AS entry FROM incoming
      ) GROUP BY ALL
    ) GROUP BY ALL
  ) ${alias} ON ${same}`
}

/** Takes flushed windows of hours that are not settled through them into `cube.fresh`. */
export const loadFresh = async (engine: Engine, files: readonly SourceFile[]): Promise<void> => {
  for (let first = 0; first < files.length; first += FILES_AT_ONCE_MAX) {
    const some = files.slice(first, first + FILES_AT_ONCE_MAX)
    const from = await relation(engine, some, 'SMALLINT[]')
    const known = some.map(
      ({ location, path, version }) => `(${quoted(location)}, ${quoted(path)}, ${version}::BIGINT)`
    )
    await engine.run(`INSERT INTO cube.fresh BY NAME
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
