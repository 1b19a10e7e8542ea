import { CLOSING_DELAY_MS } from '../../../jobs/settle/closed-hours.ts'
import { settle } from '../../../jobs/settle/settle.ts'
import type { SettleDoors } from '../../../jobs/settle/settle-hour.ts'
import { generationOf } from '../../../services/consume/generation.ts'
import {
  columnsSql,
  enrichedSql,
  landings,
  presentColumns
} from '../../../services/consume/landing.ts'
import { pricing } from '../../../services/consume/pricing.ts'
import { NOTHING, type Range, type TableFile } from '../../../services/lake/commit.ts'
import { Engine } from '../../../services/lake/engine.ts'
import { landTable, parquetWriter } from '../../../services/lake/land-table.ts'
import { openLake, type Lake } from '../../../services/lake/lake.ts'
import { quoted } from '../../../services/lake/parquet-writer.ts'
import { hourKey, settledHours } from '../../../services/lake/settled-hours.ts'
import { loadBook } from '../../../services/rates/prices/book.ts'
import { CALL_COLUMNS, callsOfHour, callsSql, DAY_MS, HOUR_MS, type Stretch } from './calls.ts'

/**
 * A lake of thirty settled days and two hours that are not settled yet. The last day is landed by the
 * SQL of a flush and settled by the job itself; the days before it are the windows of that day, moved:
 * how fast an answer is does not depend on whose hour resembles whose.
 */

const DAYS = 30
const DAY_HOURS = DAY_MS / HOUR_MS
const START_MS = Date.parse('2026-03-01T00:00:00Z')
/** Where the settled hours end. */
export const SETTLED_UNTIL_MS = START_MS + DAYS * DAY_MS
const OPEN_HOURS = 2
/** How often the consumer flushes in hours that are not settled. */
const FLUSHES_PER_OPEN_HOUR = 30
const TOPIC = 'usage.events'
/** An hour of a hundred million calls a month is settled at once. */
const MEMORY_MIB = 4096

export type BenchLake = SettleDoors & {
  /** Lands an hour in `flushes` commits. */
  landHour: (startMs: number, flushes: number) => Promise<void>
  /** Settles what is closed at a time. @returns how many hours. */
  settleAt: (nowMs: number) => Promise<number>
  close: () => void
}

/** @param calls of thirty days: says how many an hour has. */
export const openBenchLake = async (dir: string, calls: number): Promise<BenchLake> => {
  const engine = await Engine.open({ threads: 2, memoryMaxMib: MEMORY_MIB })
  const lake = await openLake(dir, { writeParquet: parquetWriter(engine), create: true })
  const prices = await loadBook()
  const doors: SettleDoors = { engine, lake, prices, generation: generationOf(prices) }
  const next = async (): Promise<number> =>
    (await lake.head()).positions.get(`${TOPIC}/0`)?.next ?? 0
  return {
    ...doors,
    landHour: async (startMs, flushes) => {
      const lengthMs = HOUR_MS / flushes
      const part = Math.ceil(callsOfHour(startMs, calls / (DAYS * DAY_HOURS)) / flushes)
      for (let flush = 0; flush < flushes; flush++) {
        const stretch = { startMs: startMs + flush * lengthMs, lengthMs, calls: part }
        await land(doors, { ...stretch, firstOffset: await next() })
      }
    },
    settleAt: async (nowMs) => {
      const partition = { topic: TOPIC, partition: 0, incarnation: 'bench', start: 0 }
      const partitions = [{ ...partition, end: await next() }]
      return (await settle(doors, { partitions, nowMs })).length
    },
    close: () => engine.close()
  }
}

export const writeSettledLake = async (dir: string, calls: number): Promise<void> => {
  const lake = await openBenchLake(dir, calls)
  for (let startMs = SETTLED_UNTIL_MS - DAY_MS; startMs < SETTLED_UNTIL_MS; startMs += HOUR_MS)
    await lake.landHour(startMs, 1)
  await lake.settleAt(SETTLED_UNTIL_MS + CLOSING_DELAY_MS)
  for (let day = 1; day < DAYS; day++) await moveDay(lake, day)
  await checkMoved(lake)
  for (let hour = 0; hour < OPEN_HOURS; hour++)
    await lake.landHour(SETTLED_UNTIL_MS + hour * HOUR_MS, FLUSHES_PER_OPEN_HOUR)
  lake.close()
}

/** An hour later: another one is settled, and another one is open. */
export const settleNextHour = async (dir: string, calls: number): Promise<void> => {
  const lake = await openBenchLake(dir, calls)
  const settledMs = settledHours(await lake.lake.head()).at(-1)!.startMs
  await lake.landHour(settledMs + (1 + OPEN_HOURS) * HOUR_MS, FLUSHES_PER_OPEN_HOUR)
  await lake.settleAt(settledMs + 2 * HOUR_MS + CLOSING_DELAY_MS)
  lake.close()
}

/** One flush: the calls as its batch, and from there on its own statements. */
const land = async (doors: SettleDoors, stretch: Stretch): Promise<void> => {
  const { engine, lake, prices, generation } = doors
  await engine.run(
    `CREATE OR REPLACE TEMP TABLE batch AS
      SELECT row_number() OVER () - 1 AS row_key, * FROM (${callsSql(stretch)})`
  )
  const present = new Set(CALL_COLUMNS)
  await engine.run(columnsSql(TOPIC, present))
  await engine.run(enrichedSql(generation, await pricing(engine, prices)))
  const adds: TableFile[] = []
  for (const selection of landings(generation, presentColumns(present))) {
    const file = await landTable(doors, selection)
    if (file !== null) adds.push(file)
  }
  await engine.run('DROP TABLE temp.batch CASCADE')
  const range = rangeOf(stretch)
  await lake.commit(() => ({ ...NOTHING, kind: 'flush', generation, ranges: [range], adds }))
}

const rangeOf = ({ firstOffset, calls, startMs, lengthMs }: Stretch): Range => ({
  topic: TOPIC,
  partition: 0,
  incarnation: 'bench',
  first: firstOffset,
  next: firstOffset + calls,
  anchor: { offset: firstOffset + calls - 1, crc32c: 0 },
  appendedUntilMs: startMs + lengthMs,
  watermarkMs: startMs + lengthMs - 1
})

/** Settled windows of an hour: a busy one has several files. */
const hourOf = (lake: Lake, files: readonly TableFile[], startMs: number): string => {
  const own = files.filter(
    ({ timeUsMin }) => Math.floor(timeUsMin! / 1000 / HOUR_MS) * HOUR_MS === startMs
  )
  const list = own.map(({ path }) => quoted(lake.doors.files.location(`windows_settled/${path}`)))
  return `read_parquet([${list.join(', ')}])`
}

/** The oldest hour has what settling made of the same hour of the newest day, to the last column. */
const checkMoved = async ({ engine, lake }: SettleDoors): Promise<void> => {
  const files = [...((await lake.head()).files.get('windows_settled')?.values() ?? [])]
  const hour = (fromMs: number): string =>
    `SELECT * REPLACE (epoch_ms(window_start) - ${fromMs} AS window_start) FROM ${hourOf(lake, files, fromMs)}`
  const [first, last] = [hour(START_MS), hour(SETTLED_UNTIL_MS - DAY_MS)]
  for (const sql of [`(${first}) EXCEPT ALL (${last})`, `(${last}) EXCEPT ALL (${first})`]) {
    const [row] = await engine.rows(`SELECT count(*)::DOUBLE AS n FROM (${sql})`)
    if (row?.['n'] !== 0) throw new Error('a moved hour differs from the one that was settled')
  }
}

/** The windows of the settled day again, so many days earlier, in one commit. */
const moveDay = async (doors: SettleDoors, days: number): Promise<void> => {
  const { engine, lake, generation } = doors
  const head = await lake.head()
  const hours = settledHours(head).filter(({ startMs }) => startMs >= SETTLED_UNTIL_MS - DAY_MS)
  const files = [...(head.files.get('windows_settled')?.values() ?? [])]
  const adds: TableFile[] = []
  const state: Record<string, unknown> = {}
  for (const { startMs, ...hour } of hours) {
    const from = hourOf(lake, files, startMs)
    const sql = `SELECT * REPLACE (window_start - INTERVAL ${days} DAYS AS window_start) FROM ${from}`
    adds.push(
      (await landTable({ engine, lake }, { table: 'windows_settled', sql, time: 'window_start' }))!
    )
    state[hourKey(startMs - days * DAY_MS)] = hour
  }
  await lake.commit(() => ({ ...NOTHING, kind: 'settle', generation, adds, state }))
}
