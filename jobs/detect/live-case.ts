import { prefixesSql } from '../../schemas/prefixes.ts'
import type { Finding } from '../../schemas/finding.ts'
import { windowsSql } from '../../schemas/windows.ts'
import { TABLES, type Column, type TableName } from '../../schemas/tables.ts'
import { NOTHING, type TableFile } from '../../services/lake/commit.ts'
import type { Segment } from '../../services/lake/columns.ts'
import type { Engine } from '../../services/lake/engine.ts'
import type { Lake } from '../../services/lake/lake.ts'
import { landTable } from '../../services/lake/land-table.ts'
import { textColumn } from '../../services/lake/text-column.ts'
import type { PriceBook } from '../../services/rates/prices/book.ts'
import { openDetector, type Detector, type LiveOptions, type LogView } from './detect.ts'
import { readEventRows } from './event-file.ts'
import { eventsSql, rowText } from './event-table.ts'

/** Lines of events played into a lake piece by piece, as time goes on: for proofs of live detection. */

export type LiveCase = {
  engine: Engine
  lake: Lake
  options: LiveOptions
  book: PriceBook
}

const MINUTE_MS = 60_000
const TOPIC = 'usage'

/** Fills the table `case_events` of the engine; returns the first and the last minute. */
export const loadCase = async (
  { engine, book }: LiveCase,
  lines: readonly string[]
): Promise<{ fromMs: number; toMs: number }> => {
  const segments: Segment[] = []
  for await (const rows of readEventRows(lines, () => undefined))
    segments.push({
      rows: rows.length,
      columns: [textColumn(rows.map((row) => Buffer.from(rowText(row, book))))]
    })
  await engine.load('case_lines', { names: ['line'], segments })
  await engine.run(`CREATE OR REPLACE TEMP TABLE case_events AS ${eventsSql('case_lines')}`)
  const [row] = await engine.rows(
    'SELECT epoch_ms(min(time)) AS first, epoch_ms(max(time)) AS last FROM case_events'
  )
  const minute = (value: unknown): number => Math.floor(Number(value) / MINUTE_MS) * MINUTE_MS
  return { fromMs: minute(row?.['first']), toMs: minute(row?.['last']) + MINUTE_MS }
}

/** Lands the events of [fromMs, toMs) and moves the log's watermark there, or further. */
export const landMinutes = async (
  live: LiveCase,
  [fromMs, toMs]: [number, number],
  watermarkMs = toMs
): Promise<void> => {
  const events = `SELECT * FROM case_events WHERE time >= make_timestamptz(${fromMs}000)
    AND time < make_timestamptz(${toMs}000)`
  await commitFlush(live, await landEvents(live, events), watermarkMs)
}

/** Lands events with their windows and prefixes; what is landed shows once it is committed. */
export const landEvents = async (
  { engine, lake }: Pick<LiveCase, 'engine' | 'lake'>,
  events: string
): Promise<TableFile[]> => {
  await engine.run(`CREATE OR REPLACE TEMP TABLE case_part AS ${events}`)
  const files: TableFile[] = []
  const land = async (table: TableName, sql: string, time: string): Promise<void> => {
    const file = await landTable(
      { engine, lake },
      { table, sql: await shaped(engine, table, sql), time }
    )
    if (file !== null) files.push(file)
  }
  await land('events_settled', 'SELECT * FROM case_part', 'time')
  await land('windows_settled', windowsSql('case_part'), 'window_start')
  await land('prefixes_settled', prefixesSql('case_part'), 'window_start')
  await engine.run('DROP TABLE case_part')
  return files
}

/** Commits landed files as a flush that read the log up to event time `toMs`. */
export const commitFlush = async (
  { lake }: Pick<LiveCase, 'lake'>,
  files: TableFile[],
  toMs: number
): Promise<void> => {
  await lake.commit((head) => {
    const before = head.positions.get(`${TOPIC}/0`)
    const next = (before?.next ?? 0) + 1
    const range = {
      topic: TOPIC,
      partition: 0,
      incarnation: 'one',
      first: next - 1,
      next,
      anchor: { offset: next - 1, crc32c: 0 },
      appendedUntilMs: toMs,
      watermarkMs: Math.max(before?.watermarkMs ?? 0, toMs - 1)
    }
    return { ...NOTHING, kind: 'flush', ranges: [range], adds: files }
  })
}

/** A SELECT with the table's columns; what it lacks is null. */
const shaped = async (engine: Engine, table: TableName, sql: string): Promise<string> => {
  const described = await engine.rows(`SELECT column_name FROM (DESCRIBE ${sql})`)
  const present = new Set(described.map((row) => row['column_name']))
  const columns: readonly Column[] = TABLES[table]
  const select = columns.map(({ name, type }) =>
    present.has(name) ? `"${name}"::${type} AS "${name}"` : `NULL::${type} AS "${name}"`
  )
  return `SELECT ${select.join(', ')} FROM (${sql})`
}

export type Play = {
  fromMs: number
  toMs: number
  stepMs: number
  /** Whether the detector that goes on is another one that starts from what is committed. */
  restart: (step: number) => boolean
  /** A step that fails with this is taken once more. */
  again?: RegExp
  /** Called after each step. */
  between?: (untilMs: number) => Promise<void>
}

/** Plays a loaded case: lands a stretch, takes a step, and so on; returns all findings. */
export const playLive = async (live: LiveCase, play: Play): Promise<Finding[]> => {
  const findings: Finding[] = []
  let detector: Detector | null = null
  let step = 0
  for (let start = play.fromMs; start < play.toMs; start += play.stepMs) {
    const untilMs = Math.min(play.toMs, start + play.stepMs)
    await landMinutes(live, [start, untilMs])
    if (detector === null || play.restart(step)) detector = openDetector(live, live.options)
    findings.push(...(await takeStep(detector, viewAt(live, untilMs), play.again)))
    await play.between?.(untilMs)
    step += 1
  }
  return findings
}

/** The log read to its end; by default when the minute after `untilMs` is over. */
export const viewAt = (
  { lake }: Pick<LiveCase, 'lake'>,
  untilMs: number,
  nowMs = untilMs + MINUTE_MS
): LogView => ({
  partitions: async () => {
    const end = (await lake.head()).positions.get(`${TOPIC}/0`)?.next ?? 0
    return [{ topic: TOPIC, partition: 0, incarnation: 'one', start: 0, end }]
  },
  nowMs
})

const takeStep = async (
  detector: Detector,
  view: LogView,
  again: RegExp | undefined
): Promise<Finding[]> => {
  try {
    return await detector.step(view)
  } catch (error) {
    if (again === undefined || !again.test(String(error))) throw error
    return detector.step(view)
  }
}
