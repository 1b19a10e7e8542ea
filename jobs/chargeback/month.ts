import { Failure } from '../../schemas/failure.ts'

/** A calendar month in UTC, half-open, milliseconds since the epoch. */
export type Month = { name: string; fromMs: number; toMs: number }

export const HOUR_MS = 3_600_000
export const DAY_MS = 24 * HOUR_MS

/** Reads `2026-10`. @throws Failure E_USAGE */
export const parseMonth = (text: string): Month => {
  const [, year, month] = /^(\d{4})-(0[1-9]|1[0-2])$/.exec(text) ?? []
  if (year === undefined || month === undefined) {
    throw new Failure('E_USAGE', `"${text}" is not a month`, { hint: 'Write it as 2026-10.' })
  }
  const fromMs = Date.UTC(Number(year), Number(month) - 1)
  return { name: text, fromMs, toMs: Date.UTC(Number(year), Number(month)) }
}

/** The month that holds a time. */
export const monthAt = (timeMs: number): Month =>
  parseMonth(new Date(timeMs).toISOString().slice(0, 7))

export const dayName = (timeMs: number): string => new Date(timeMs).toISOString().slice(0, 10)

/** A time as SQL. */
export const timestampSql = (timeMs: number): string => `make_timestamptz(${timeMs * 1000}::BIGINT)`
