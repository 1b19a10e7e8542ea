import { z } from 'zod'
import { TABLES, type Column, type TableName } from '../../schemas/tables.ts'
import type { LiveFile } from '../lake/commit.ts'
import type { Row } from '../lake/engine.ts'
import { quoted } from '../lake/parquet-writer.ts'
import { settledHours } from '../lake/settled-hours.ts'
import { BOUND } from './cube/cells.ts'
import { HISTOGRAMS } from './cube/columns.ts'
import type { Desk } from './desk.ts'
import { sqlTime } from './literal.ts'
import { HOUR_MS } from './range.ts'

/** Events as rows: settled hours, and what is not settled yet; nothing is in both. */

const US_PER_MS = 1000

export const EventResult = z
  .looseObject({
    id: z.string(),
    time: z.string(),
    tenant: z.string(),
    kind: z.string(),
    provisional: z.boolean().describe('Of an hour that is not settled: may be a duplicate.')
  })
  .describe('Columns of the table `events` that have a value; see /v1/catalog.')

export type Stretch = { fromMs: number; toMs: number }

/** Views of which settling makes an exact copy. */
const VIEWS = {
  events: { raw: 'events_raw', settled: 'events_settled', time: 'time' },
  windows: { raw: 'windows_raw', settled: 'windows_settled', time: 'window_start' },
  prefixes: { raw: 'prefixes_raw', settled: 'prefixes_settled', time: 'window_start' }
} as const satisfies Record<string, { raw: TableName; settled: TableName; time: string }>

export type ViewName = keyof typeof VIEWS
export const VIEW_NAMES = Object.keys(VIEWS) as ViewName[]

/** A view's rows in a stretch, bound to who asks, as a SELECT of all columns. */
export const relationSql = async (
  desk: Desk,
  view: ViewName,
  stretch: Stretch
): Promise<string> => {
  const { raw, settled, time } = VIEWS[view]
  const inStretch = (file: LiveFile): boolean =>
    (file.timeUsMin ?? 0) < stretch.toMs * US_PER_MS &&
    (file.timeUsMax ?? Number.MAX_SAFE_INTEGER) >= stretch.fromMs * US_PER_MS
  const files = (table: TableName): LiveFile[] =>
    [...(desk.head.files.get(table)?.values() ?? [])].filter(inStretch)
  const hours = settledHours(desk.head).filter(
    ({ startMs }) => startMs < stretch.toMs && startMs + HOUR_MS > stretch.fromMs
  )
  const through = new Map(hours.map((hour) => [hour.startMs, hour.through]))
  const fresh = files(raw).filter((file) => !isCovered(file, through))
  const parts = [
    await filesSql(desk, { table: settled, files: files(settled), provisional: false }),
    await rawSql(desk, { table: raw, files: fresh, time, through })
  ].filter((part) => part !== null)
  const within = `${time} >= ${sqlTime(stretch.fromMs)} AND ${time} < ${sqlTime(stretch.toMs)} AND ${BOUND}`
  if (parts.length === 0) {
    const columns: readonly Column[] = TABLES[settled]
    const nulls = columns.map(({ name, type }) => `NULL::${type} AS "${name}"`)
    return `SELECT ${nulls.join(', ')}, false AS provisional WHERE false`
  }
  return parts.map((part) => `SELECT * FROM (${part}) WHERE ${within}`).join(' UNION ALL ')
}

/** Whether every hour that a flushed file touches was settled through it. */
export const isCovered = (file: LiveFile, through: ReadonlyMap<number, number>): boolean => {
  if (file.timeUsMin === null || file.timeUsMax === null) return false
  const last = Math.floor(file.timeUsMax / US_PER_MS / HOUR_MS) * HOUR_MS
  let hour = Math.floor(file.timeUsMin / US_PER_MS / HOUR_MS) * HOUR_MS
  for (; hour <= last; hour += HOUR_MS) {
    const version = through.get(hour)
    if (version === undefined || version < file.version) return false
  }
  return true
}

type Files = { table: TableName; files: readonly LiveFile[]; provisional: boolean }

const filesSql = async (
  desk: Desk,
  { table, files, provisional }: Files
): Promise<string | null> => {
  if (files.length === 0) return null
  const list = files.map((file) => quoted(desk.location(file))).join(', ')
  const from = `read_parquet([${list}], filename = true, union_by_name = true)`
  const seen = await desk.rows(`DESCRIBE SELECT * FROM ${from}`)
  const present = new Set(seen.map((row) => row['column_name']))
  const all: readonly Column[] = TABLES[table]
  const columns = all.map(({ name, type }) =>
    present.has(name) ? `"${name}"::${type} AS "${name}"` : `NULL::${type} AS "${name}"`
  )
  const file = provisional ? ', filename' : ''
  return `SELECT ${columns.join(', ')}, ${provisional} AS provisional${file} FROM ${from}`
}

type Raw = {
  table: TableName
  files: readonly LiveFile[]
  time: string
  through: ReadonlyMap<number, number>
}

const rawSql = async (desk: Desk, { table, files, time, through }: Raw): Promise<string | null> => {
  const from = await filesSql(desk, { table, files, provisional: true })
  if (from === null) return null
  const versions = files.map((file) => `(${quoted(desk.location(file))}, ${file.version})`)
  const hours = [...through].map(
    ([startMs, version]) => `(make_timestamptz(${startMs * US_PER_MS}::BIGINT), ${version})`
  )
  const known = hours.length === 0 ? '(NULL::TIMESTAMPTZ, NULL)' : hours.join(', ')
  return `SELECT r.* EXCLUDE (filename)${merged(table)} FROM (${from}) r
    JOIN (VALUES ${versions.join(', ')}) AS f(filename, version) ON f.filename = r.filename
    LEFT JOIN (VALUES ${known}) AS h(hour, through) ON h.hour = date_trunc('hour', r.${time})
    WHERE h.through IS NULL OR f.version > h.through`
}

/** Flushes land histograms as lists of bins; here they become what settling writes. */
const merged = (table: TableName): string => {
  if (table !== 'windows_raw') return ''
  const columns = HISTOGRAMS.map(
    (name) => `list_aggregate("${name}", 'histogram')::MAP(SMALLINT, BIGINT) AS "${name}"`
  )
  return ` REPLACE (${columns.join(', ')})`
}

/** An event of an answer: what has no value is left out. */
export const eventResult = (row: Row): z.infer<typeof EventResult> =>
  Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null)) as z.infer<
    typeof EventResult
  >
