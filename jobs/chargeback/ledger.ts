import { createHash } from 'node:crypto'
import { CHARGE_COLUMNS, CHARGE_KEYS, CHARGE_MEASURES } from '../../schemas/charges.ts'
import type { TableName } from '../../schemas/tables.ts'
import type { Head, LiveFile, TableFile } from '../../services/lake/commit.ts'
import type { Engine } from '../../services/lake/engine.ts'
import { landTable } from '../../services/lake/land-table.ts'
import type { Lake } from '../../services/lake/lake.ts'
import { quoted } from '../../services/lake/parquet-writer.ts'
import { settledHours, type SettledHour } from '../../services/lake/settled-hours.ts'
import { attach } from '../../services/lake/snapshot.ts'
import { closedMonths, openMonth } from './closes.ts'
import { dayLines, type Books, type LineOptions } from './day-lines.ts'
import { differenceSql } from './lines-sql.ts'
import { DAY_MS, dayName, monthAt, timestampSql } from './month.ts'

/**
 * The ledger `charges` only grows. A booking looks at the days whose settled hours changed since
 * they were booked last, works out their lines anew, and appends what differs from the sum of all
 * that was booked before. Rows of a day in a closed month are corrections in the open one. What
 * is due follows from the lake alone, so a booking that is repeated or cut off changes nothing.
 */

export type ChargeDoors = { engine: Engine; lake: Lake; generation: string }

/** State key of the number that the next booking gets. */
export const BOOKING_KEY = 'charges/next'
const DAY_PREFIX = 'charges/day/'

export type DueDay = { dayMs: number; fingerprint: string; events: number }

export const nextBooking = (head: Head): number => {
  const value = head.state.get(BOOKING_KEY)
  return typeof value === 'number' ? value : 1
}

/** Days before a time whose settled hours are not those that were booked last, oldest first. */
export const dueDays = (head: Head, untilMs: number): DueDay[] =>
  settledDays(head, untilMs).filter((day) => !isBooked(head, day))

/** Whether a day's lines are booked as its hours stand. */
export const isBooked = (head: Head, { dayMs, fingerprint }: DueDay): boolean =>
  head.state.get(dayKey(dayMs)) === fingerprint

/** Days before a time that have settled hours, oldest first. */
export const settledDays = (head: Head, untilMs: number): DueDay[] => {
  const days = new Map<number, SettledHour[]>()
  for (const hour of settledHours(head)) {
    if (hour.startMs >= untilMs) continue
    const dayMs = Math.floor(hour.startMs / DAY_MS) * DAY_MS
    const known = days.get(dayMs)
    if (known === undefined) days.set(dayMs, [hour])
    else known.push(hour)
  }
  return [...days].map(([dayMs, hours]) => ({
    dayMs,
    fingerprint: fingerprintOf(hours.map(({ startMs, through }) => `${startMs}:${through}`)),
    events: hours.reduce((sum, { events }) => sum + events, 0)
  }))
}

const dayKey = (dayMs: number): string => `${DAY_PREFIX}${dayName(dayMs)}`

/** Hexadecimal digits that tell the states of one day apart. */
const FINGERPRINT_DIGITS = 16

const fingerprintOf = (parts: readonly string[]): string =>
  createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, FINGERPRINT_DIGITS)

/** State key of the version of the prices that a day's lines were worked out by. */
const pricesKey = (dayMs: number): string => `charges/prices/${dayName(dayMs)}`

/** State of a commit that books the days by a version of the prices. */
export const bookedState = (
  head: Head,
  days: readonly DueDay[],
  { contracted }: Books
): Record<string, unknown> => ({
  ...Object.fromEntries(
    days.flatMap(({ dayMs, fingerprint }) => [
      [dayKey(dayMs), fingerprint],
      [pricesKey(dayMs), contracted.version]
    ])
  ),
  [BOOKING_KEY]: nextBooking(head) + 1
})

/** Booked days before a time whose lines were worked out by other prices, oldest first. */
export const otherwisePriced = (head: Head, untilMs: number, { contracted }: Books): DueDay[] =>
  settledDays(head, untilMs).filter(
    (day) => isBooked(head, day) && head.state.get(pricesKey(day.dayMs)) !== contracted.version
  )

/** The head with nothing but some tables, of files that a test lets pass. */
export const headOf = (
  head: Head,
  tables: readonly TableName[],
  passes: (file: LiveFile) => boolean = () => true
): Head => ({
  ...head,
  files: new Map(
    tables.map((table) => [
      table,
      new Map([...(head.files.get(table) ?? [])].filter(([, file]) => passes(file)))
    ])
  )
})

/** Whether a file holds times of one of the days. */
const touches =
  (days: readonly DueDay[]) =>
  ({ timeUsMin, timeUsMax }: LiveFile): boolean =>
    timeUsMin === null ||
    timeUsMax === null ||
    days.some(
      ({ dayMs }) => timeUsMin < (dayMs + DAY_MS) * US_PER_MS && timeUsMax >= dayMs * US_PER_MS
    )

const US_PER_MS = 1000

/**
 * Events that are grouped in one go: enough that planning the query costs little beside them, and
 * few enough that their groups stay within memory.
 */
const EVENTS_AT_ONCE_MAX = 5_000_000

/** Days of one month put together up to so many events. */
const stretches = (days: readonly DueDay[]): DueDay[][] => {
  const all: DueDay[][] = []
  let events = 0
  for (const day of days) {
    const last = all.at(-1)
    const isSame =
      last?.[0] !== undefined && monthAt(last[0].dayMs).name === monthAt(day.dayMs).name
    if (last !== undefined && isSame && events + day.events <= EVENTS_AT_ONCE_MAX) {
      last.push(day)
      events += day.events
    } else {
      all.push([day])
      events = day.events
    }
  }
  return all
}

/** Table `batch`: rows that are about to be booked. */
export const startBatch = (engine: Engine): Promise<void> =>
  engine.run(
    `CREATE OR REPLACE TEMP TABLE batch (${CHARGE_COLUMNS.map(({ name, type }) => `"${name}" ${type}`).join(', ')})`
  )

/** Adds to the batch what the settled events of the days differ by from what is booked. */
export const addDays = async (
  doors: ChargeDoors,
  head: Head,
  { days, ...options }: LineOptions & { days: readonly DueDay[] }
): Promise<void> => {
  const { engine } = doors
  const closed = closedMonths(head)
  for (const stretch of stretches(days)) {
    await attach(doors, headOf(head, ['events_settled', 'charges'], touches(stretch)))
    const daysMs = stretch.map(({ dayMs }) => dayMs)
    await dayLines(engine, daysMs, options)
    const booked = `(SELECT * FROM temp.charges WHERE category = 'usage'
      AND charge_start IN (${daysMs.map(timestampSql).join(', ')}))`
    const month = monthAt(daysMs[0] ?? 0).name
    await addDifference(engine, head, { fresh: 'temp.fresh', booked, month, closed })
  }
}

type Difference = { fresh: string; booked: string; month: string; closed: readonly string[] }

/** Appends to the batch what `fresh` has more or less than `booked`, on the right statement. */
export const addDifference = async (
  engine: Engine,
  head: Head,
  { fresh, booked, month, closed }: Difference
): Promise<void> => {
  const isClosed = closed.includes(month)
  const [some] = await engine.rows(`SELECT 1 FROM ${booked} LIMIT 1`)
  const rows = some === undefined ? fresh : `(${differenceSql(fresh, booked)})`
  const own = [...CHARGE_KEYS, ...CHARGE_MEASURES].map(({ name }) => name).join(', ')
  await engine.run(
    `INSERT INTO batch (booking, month, charge_class, ${own})
     SELECT ${nextBooking(head)}, ${quoted(isClosed ? openMonth(head, month) : month)},
       ${isClosed ? "'Correction'" : 'NULL'}, ${own} FROM ${rows}`
  )
}

/** Order of the rows in a file: total, so that equal batches are equal bytes. */
const ORDER = ['charge_start', 'month', ...CHARGE_KEYS.map(({ name }) => name)].join(', ')

/** Lands the batch; null when there is nothing in it. */
export const landBatch = (doors: ChargeDoors): Promise<TableFile | null> =>
  landTable(doors, {
    table: 'charges',
    sql: `FROM temp.batch ORDER BY ${ORDER}`,
    time: 'charge_start'
  })
