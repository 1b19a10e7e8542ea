import type { BookRow } from './book-row.ts'
import { findRows, type PriceBook } from './book.ts'
import type { TimeSpan } from './columns.ts'
import type { PriceQuery } from './price.ts'

const MS_PER_MINUTE = 60_000
const MS_PER_DAY = 86_400_000

/**
 * The instants of a half-open span at which a call's price may change, the start of the span
 * first: starts and ends of periods and contracts, and hours with prices of their own.
 */
export const priceBoundaries = (
  book: PriceBook,
  query: PriceQuery,
  { fromMs, toMs }: TimeSpan
): number[] => {
  const model = query.response_model ?? query.request_model
  const rows = model === null ? [] : findRows(book, query.provider, model).rows
  const dates = [...rows, ...book.contracts].flatMap(({ from, to }) => [from, to])
  const instants = dates.flatMap((date) => (date == null ? [] : Date.parse(date)))
  const windows = rows.flatMap((row) => windowInstants(row, { fromMs, toMs }))
  const inside = [...instants, ...windows].filter((time) => time > fromMs && time < toMs)
  return [fromMs, ...new Set(inside)].toSorted((left, right) => left - right)
}

const windowInstants = (row: BookRow, { fromMs, toMs }: TimeSpan): number[] => {
  if (row.windows === undefined) return []
  const minutes = [...new Set([0, ...row.windows.flatMap((window) => window.minutes.flat())])]
  const firstDay = Math.floor(fromMs / MS_PER_DAY)
  const days = Math.ceil(toMs / MS_PER_DAY) - firstDay
  return Array.from({ length: days }, (_, day) => (firstDay + day) * MS_PER_DAY).flatMap((start) =>
    minutes.map((minute) => start + minute * MS_PER_MINUTE)
  )
}
