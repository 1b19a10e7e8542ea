import type { TableName } from '../../schemas/tables.ts'
import type { PriceBook } from '../rates/prices/book.ts'
import type { Range, TableFile } from '../lake/commit.ts'
import type { ColumnData } from '../lake/columns.ts'
import type { Engine } from '../lake/engine.ts'
import { landTable } from '../lake/land-table.ts'
import type { Lake } from '../lake/lake.ts'
import { quoted } from '../lake/parquet-writer.ts'
import { textColumn } from '../lake/text-column.ts'
import type { TableEncoder } from './flush.ts'
import type { Gap } from './gap.ts'
import { flushEstimate, type FlushEstimate } from './landed-energy.ts'
import { columnsSql, enrichedSql, givenEnrichment, landings, presentColumns } from './landing.ts'
import type { Pending, Quarantined } from './pending.ts'
import { pricing } from './pricing.ts'

type Doors = { engine: Engine; lake: Lake; prices: PriceBook; generation: string }

/**
 * The lake's tables as Parquet files, written by DuckDB.
 * @param estimate what estimates the energy of calls; another one only to tell what it costs.
 */
export const parquetEncoder = (doors: Doors, estimate = flushEstimate()): TableEncoder => ({
  batch: (pending) => allOrNone(doors, (files) => landAll(doors, { pending, estimate, files })),
  gap: (range, gap) => {
    const gaps: Selections = [{ table: 'gaps', sql: gapSql(range, gap), time: null }]
    return allOrNone(doors, (files) => landEach(doors, gaps, files))
  }
})

/**
 * The files that `land` adds to its argument. When it fails, those before are taken back: tried once
 * a second, they would soon fill what room is left on a full disk.
 */
const allOrNone = async (
  { lake }: Doors,
  land: (files: TableFile[]) => Promise<void>
): Promise<TableFile[]> => {
  const files: TableFile[] = []
  try {
    await land(files)
    return files
  } catch (error) {
    // What can not be removed is an orphan, which upkeep removes after a day.
    await Promise.allSettled(files.map((file) => lake.withdraw(file)))
    throw error
  }
}

type Flush = { pending: Pending; estimate: FlushEstimate; files: TableFile[] }

const landAll = async (doors: Doors, { pending, estimate, files }: Flush): Promise<void> => {
  const { names, segments } = estimate(pending.segments())
  if (segments.length > 0) {
    await doors.engine.hold('batch', { names, segments })
    const topic = pending.ranges()[0]?.topic ?? ''
    await landEvents(doors, { topic, present: new Set(names) }, files)
  }
  const quarantined = pending.quarantined()
  if (quarantined.length > 0) {
    const topic = pending.ranges()[0]?.topic ?? ''
    await landQuarantine(doors, { topic, rows: quarantined }, files)
  }
}

const landEvents = async (
  doors: Doors,
  { topic, present }: { topic: string; present: ReadonlySet<string> },
  files: TableFile[]
): Promise<void> => {
  const { engine, generation } = doors
  await engine.run(columnsSql(topic, present))
  // A topic of others may bring its cost along; it is then taken as it is.
  const { expressions, joins } = present.has('cost_pico')
    ? { expressions: {}, joins: [] }
    : await pricing(engine, doors.prices)
  const enrichment = { expressions: { ...expressions, ...givenEnrichment(present) }, joins }
  await engine.run(enrichedSql(generation, enrichment))
  await landEach(doors, landings(generation, presentColumns(present)), files)
}

type Selections = ReturnType<typeof landings>

const landEach = async (
  doors: Doors,
  selections: Selections,
  files: TableFile[]
): Promise<void> => {
  for (const selection of selections) {
    const file = await landTable(doors, selection)
    if (file !== null) files.push(file)
  }
}

const QUARANTINE: TableName = 'quarantine'

const landQuarantine = async (
  doors: Doors,
  { topic, rows }: { topic: string; rows: readonly Quarantined[] },
  files: TableFile[]
): Promise<void> => {
  const columns: Record<string, ColumnData> = {
    topic: textColumn(rows.map(() => Buffer.from(topic))),
    partition: integers(rows.map(({ partition }) => partition)),
    offset: doubles(rows.map(({ offset }) => offset)),
    appended_ms: doubles(rows.map(({ appendedMs }) => appendedMs)),
    code: textColumn(rows.map(({ code }) => Buffer.from(code))),
    reason: textColumn(rows.map(({ reason }) => Buffer.from(reason))),
    bytes: { ...textColumn(rows.map(({ bytes }) => bytes)), type: 'BLOB' },
    byte_length: integers(rows.map(({ byteLength }) => byteLength))
  }
  const segment = { rows: rows.length, columns: Object.values(columns) }
  await doors.engine.load('faults', { names: Object.keys(columns), segments: [segment] })
  const sql = `SELECT topic, "partition", "offset"::BIGINT AS "offset",
    make_timestamptz((appended_ms * 1000)::BIGINT) AS append_time, code, reason, bytes,
    byte_length::BIGINT AS byte_length FROM temp.faults ORDER BY "partition", "offset"`
  await landEach(doors, [{ table: QUARANTINE, sql, time: 'append_time' }], files)
  await doors.engine.run('DROP TABLE temp.faults')
}

const integers = (values: number[]): ColumnData => ({
  type: 'INTEGER',
  values: Int32Array.from(values),
  valid: null
})

const doubles = (values: number[]): ColumnData => ({
  type: 'DOUBLE',
  values: Float64Array.from(values),
  valid: null
})

const gapSql = ({ topic, partition, incarnation }: Range, gap: Gap): string => {
  const after = gap.noticedAfterMs
  const time = after === null ? 'NULL' : `make_timestamptz(${after * 1000}::BIGINT)`
  return `SELECT ${quoted(topic)} AS topic, ${partition}::INTEGER AS "partition",
    ${quoted(incarnation)} AS incarnation, ${gap.first}::BIGINT AS "first", ${gap.next}::BIGINT AS "next",
    ${quoted(gap.reason)} AS reason, ${quoted(gap.detail)} AS detail, ${time}::TIMESTAMPTZ AS noticed_after`
}
