import { TABLES, type Column, type TableName } from '../../schemas/tables.ts'
import type { Head, LiveFile } from './commit.ts'
import type { Engine } from './engine.ts'
import type { Lake } from './lake.ts'
import { quoted } from './parquet-writer.ts'
import { settledHours } from './settled-hours.ts'

/**
 * Views over the lake at one version. Every table of the lake becomes a view of its own name, and
 * four more put settled and raw rows together:
 *
 * - `events`, `windows`, `prefixes`: settled hours, plus raw rows beyond what their hour was
 *   settled through, marked `provisional`. Nothing is ever in both. Provisional windows and
 *   prefixes are partial: they add up.
 * - `settled`: the exact events of settled hours alone.
 */

type Doors = { engine: Engine; lake: Lake }

/** Tables of which settling makes an exact copy, and their time columns. */
const SETTLED = [
  { view: 'events', raw: 'events_raw', settled: 'events_settled', time: 'time' },
  { view: 'windows', raw: 'windows_raw', settled: 'windows_settled', time: 'window_start' },
  { view: 'prefixes', raw: 'prefixes_raw', settled: 'prefixes_settled', time: 'window_start' }
] as const satisfies readonly { view: string; raw: TableName; settled: TableName; time: string }[]

/** The statements that made an engine's views, by name; unknown while some are being replaced. */
const attached = new WeakMap<Engine, ReadonlyMap<string, string>>()

/** Creates the views in the engine, replacing those of another version. */
export const attach = async ({ engine, lake }: Doors, head: Head): Promise<void> => {
  const views = new Map([
    ['hours', hoursSql(head)],
    ['file_versions', versionsSql(lake, head)]
  ])
  for (const table of Object.keys(TABLES) as TableName[]) {
    views.set(table, await tableSql({ engine, lake }, head, table))
  }
  for (const union of SETTLED) views.set(union.view, unionSql(union))
  views.set('settled', 'CREATE OR REPLACE TEMP VIEW settled AS SELECT * FROM events_settled')
  // From one version to the next most tables stay as they are.
  const made = attached.get(engine)
  const changed = [...views].filter(([name, sql]) => made?.get(name) !== sql)
  attached.delete(engine)
  if (changed.length > 0) await engine.run(changed.map(([, sql]) => sql).join(';\n'))
  attached.set(engine, views)
}

const live = (head: Head, table: TableName): LiveFile[] => [
  ...(head.files.get(table)?.values() ?? [])
]

const location = (lake: Lake, { table, path }: LiveFile): string =>
  lake.doors.files.location(`${table}/${path}`)

/** A table's live files as one relation with all of its columns; `filename` says where a row is. */
const tableSql = async (doors: Doors, head: Head, table: TableName): Promise<string> => {
  const files = live(head, table).map((file) => quoted(location(doors.lake, file)))
  const columns: readonly Column[] = TABLES[table]
  if (files.length === 0) return emptySql(table, columns)
  const from = `read_parquet([${files.join(', ')}], filename = true, union_by_name = true)`
  // Files never change, and so neither do their columns.
  const before = attached.get(doors.engine)?.get(table)
  if (before?.endsWith(` FROM ${from}`) === true) return before
  const present = new Set(
    (await doors.engine.rows(`DESCRIBE SELECT * FROM ${from}`)).map((row) => row['column_name'])
  )
  const select = columns.map(({ name, type }) =>
    present.has(name) ? `"${name}"::${type} AS "${name}"` : `NULL::${type} AS "${name}"`
  )
  return `CREATE OR REPLACE TEMP VIEW "${table}" AS SELECT ${select.join(', ')}, filename FROM ${from}`
}

const emptySql = (table: TableName, columns: readonly Column[]): string => {
  const nulls = columns.map(({ name, type }) => `NULL::${type} AS "${name}"`).join(', ')
  return `CREATE OR REPLACE TEMP VIEW "${table}" AS SELECT ${nulls}, NULL::VARCHAR AS filename WHERE false`
}

/** `hours`: each settled hour and the version of the lake through which it is settled. */
const hoursSql = (head: Head): string => {
  const rows = settledHours(head).map(
    ({ startMs, through }) => `(make_timestamptz(${startMs * 1000}::BIGINT), ${through}::BIGINT)`
  )
  const values = rows.length > 0 ? rows.join(', ') : '(NULL::TIMESTAMPTZ, NULL::BIGINT)'
  return `CREATE OR REPLACE TEMP VIEW hours AS SELECT * FROM (VALUES ${values}) AS h(hour, through) WHERE hour IS NOT NULL`
}

/** `file_versions`: the version that added each raw file. */
const versionsSql = (lake: Lake, head: Head): string => {
  const rows = SETTLED.flatMap(({ raw }) => live(head, raw)).map(
    (file) => `(${quoted(location(lake, file))}, ${file.version}::BIGINT)`
  )
  const values = rows.length > 0 ? rows.join(', ') : '(NULL::VARCHAR, NULL::BIGINT)'
  return `CREATE OR REPLACE TEMP TABLE file_versions AS SELECT * FROM (VALUES ${values}) AS f(filename, version) WHERE filename IS NOT NULL`
}

const unionSql = ({ view, raw, settled, time }: (typeof SETTLED)[number]): string =>
  `CREATE OR REPLACE TEMP VIEW "${view}" AS
   SELECT * EXCLUDE (filename), false AS provisional FROM "${settled}"
   UNION ALL BY NAME
   SELECT r.* EXCLUDE (filename)${replaced(settled)}, true AS provisional FROM "${raw}" r
   JOIN file_versions f ON f.filename = r.filename
   LEFT JOIN hours h ON h.hour = date_trunc('hour', r."${time}")
   WHERE h.through IS NULL OR f.version > h.through`

/** Flushes land histograms as lists of bins; here they become what settling writes. */
const replaced = (settled: TableName): string => {
  const columns: readonly Column[] = TABLES[settled]
  const histograms = columns.filter(({ type }) => type.startsWith('MAP'))
  if (histograms.length === 0) return ''
  const merged = histograms.map(
    ({ name, type }) => `list_aggregate(r."${name}", 'histogram')::${type} AS "${name}"`
  )
  return ` REPLACE (${merged.join(', ')})`
}
