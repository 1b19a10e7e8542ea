import type { TableName } from '../../schemas/tables.ts'
import type { PriceBook } from '../rates/prices/book.ts'
import type { Commit, Head, Range, TableFile } from '../lake/commit.ts'
import type { ColumnData } from '../lake/columns.ts'
import type { Engine } from '../lake/engine.ts'
import { landTable } from '../lake/land-table.ts'
import type { Lake } from '../lake/lake.ts'
import { textColumn } from '../lake/text-column.ts'
import { columnsSql, enrichedSql, landings, presentColumns } from './landing.ts'
import type { Pending, Quarantined } from './pending.ts'
import { pricing } from './pricing.ts'

export type FlushDoors = { engine: Engine; lake: Lake; prices: PriceBook; generation: string }

/** How a partition came out of a flush. */
export type Landed = {
  partition: number
  /** Where to go on reading. */
  next: number
  /** False when another consumer had landed these records: ours were left out. */
  ours: boolean
}

/**
 * Lands what is pending as one commit. The files are a function of the records and the generation
 * alone. When the head shows that another consumer was first in a partition, that partition is
 * left out and the files are written anew: rows of a zombie are never visible.
 */
export const flush = async (doors: FlushDoors, pending: Pending): Promise<Landed[]> => {
  const before = pending.ranges()
  const lost = new Map<number, number>()
  let files: TableFile[] | null = null
  await doors.lake.commit(async (head) => {
    const stale = pending.ranges().filter((range) => !continues(head, range))
    for (const range of stale) {
      lost.set(range.partition, positionOf(head, range)?.next ?? 0)
      pending.drop(range.partition)
    }
    if (stale.length > 0) files = null
    const ranges = pending.ranges().map((range) => carried(head, range))
    if (ranges.length === 0) return null
    files ??= await landAll(doors, pending)
    return commitOf(doors.generation, ranges, files)
  })
  pending.clear()
  return before.map(({ partition, next }) => {
    const theirs = lost.get(partition)
    return { partition, next: theirs ?? next, ours: theirs === undefined }
  })
}

const positionOf = (head: Head, { topic, partition }: Range): Range | undefined =>
  head.positions.get(`${topic}/${partition}`)

const continues = (head: Head, range: Range): boolean => {
  const stored = positionOf(head, range)
  if (stored === undefined) return true
  return stored.incarnation === range.incarnation && stored.next === range.first
}

/** The last anchor and append time stay known when a range held no record. */
const carried = (head: Head, range: Range): Range => {
  const stored = positionOf(head, range)
  if (stored === undefined || stored.incarnation !== range.incarnation) return range
  return {
    ...range,
    anchor: range.anchor ?? stored.anchor,
    appendedUntilMs: latest(range.appendedUntilMs, stored.appendedUntilMs),
    watermarkMs: latest(range.watermarkMs, stored.watermarkMs)
  }
}

const latest = (a: number | null, b: number | null): number | null =>
  a === null ? b : b === null ? a : Math.max(a, b)

const commitOf = (generation: string, ranges: Range[], adds: TableFile[]): Commit => ({
  kind: 'flush',
  generation,
  ranges,
  adds,
  removes: [],
  state: {}
})

const landAll = async (doors: FlushDoors, pending: Pending): Promise<TableFile[]> => {
  const files: TableFile[] = []
  const { names, segments } = pending.segments()
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
  doors: FlushDoors,
  pending: Pending,
  present: ReadonlySet<string>
): Promise<TableFile[]> => {
  const { engine, generation } = doors
  const topic = pending.ranges()[0]?.topic ?? ''
  await engine.run(columnsSql(topic, present))
  // A topic of others may bring its cost along; it is then taken as it is.
  const enrichment = present.has('cost_pico')
    ? { expressions: { cost_pico: 'e.cost_pico' }, joins: [] }
    : await pricing(engine, doors.prices)
  await engine.run(enrichedSql(generation, enrichment))
  return landEach(doors, landings(generation, presentColumns(present)))
}

type Selections = ReturnType<typeof landings>

const landEach = async (doors: FlushDoors, selections: Selections): Promise<TableFile[]> => {
  const files: TableFile[] = []
  for (const selection of selections) {
    const file = await landTable(doors, selection)
    if (file !== null) files.push(file)
  }
  return files
}

const QUARANTINE: TableName = 'quarantine'

const landQuarantine = async (
  doors: FlushDoors,
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
