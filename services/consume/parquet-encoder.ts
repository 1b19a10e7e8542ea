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
  batch: (pending) => landAll(doors, pending, estimate),
  gap: (range, gap) => landEach(doors, [{ table: 'gaps', sql: gapSql(range, gap), time: null }])
})

const landAll = async (
  doors: Doors,
  pending: Pending,
  estimate: FlushEstimate
): Promise<TableFile[]> => {
  const files: TableFile[] = []
  const { names, segments } = estimate(pending.segments())
  if (segments.length > 0) {
    await doors.engine.load('batch', { names, segments })
    files.push(...(await landEvents(doors, pending, new Set(names))))
    await doors.engine.run('DROP TABLE temp.batch CASCADE')
  }
  const quarantined = pending.quarantined()
  if (quarantined.length > 0) files.push(...(await landQuarantine(doors, pending, quarantined)))
  return files
}

const landEvents = async (
  doors: Doors,
  pending: Pending,
  present: ReadonlySet<string>
): Promise<TableFile[]> => {
  const { engine, generation } = doors
  const topic = pending.ranges()[0]?.topic ?? ''
  await engine.run(columnsSql(topic, present))
  // A topic of others may bring its cost along; it is then taken as it is.
  const { expressions, joins } = present.has('cost_pico')
    ? { expressions: {}, joins: [] }
    : await pricing(engine, doors.prices)
  const enrichment = { expressions: { ...expressions, ...givenEnrichment(present) }, joins }
  await engine.run(enrichedSql(generation, enrichment))
  return landEach(doors, landings(generation, presentColumns(present)))
}

type Selections = ReturnType<typeof landings>

const landEach = async (doors: Doors, selections: Selections): Promise<TableFile[]> => {
  const files: TableFile[] = []
  for (const selection of selections) {
    const file = await landTable(doors, selection)
    if (file !== null) files.push(file)
  }
  return files
}

const QUARANTINE: TableName = 'quarantine'

const landQuarantine = async (
  doors: Doors,
  pending: Pending,
  rows: readonly Quarantined[]
): Promise<TableFile[]> => {
  const topic = pending.ranges()[0]?.topic ?? ''
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
  const files = await landEach(doors, [{ table: QUARANTINE, sql, time: 'append_time' }])
  await doors.engine.run('DROP TABLE temp.faults')
  return files
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
