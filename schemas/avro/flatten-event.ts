import { EVENT_FIELDS, type EventField } from '../event-fields.ts'
import type { UsageEvent } from '../event.ts'
import { Failure } from '../failure.ts'

/**
 * From the nested native event to one value per column, as Avro and the tables hold them:
 * times in microseconds, free-form parts as JSON text. What is missing is null.
 */

export type ColumnValue = string | number | boolean | string[] | number[] | null
export type EventRow = Record<string, ColumnValue>

const MICROSECONDS_PER_MS = 1000
/** Where the fraction of a second stands in an RFC 3339 time, and where its microseconds end. */
const FRACTION_AT = 19
const MILLISECONDS_END = FRACTION_AT + 4
const MICROSECONDS_END = MILLISECONDS_END + 3
const ZERO = '0'.charCodeAt(0)

/** Microseconds within the millisecond, which dates leave out; finer digits are cut off. */
const fineMicroseconds = (time: string): number => {
  if (time[FRACTION_AT] !== '.') return 0
  let fine = 0
  let isOver = false
  for (let at = FRACTION_AT + 1; at < MICROSECONDS_END; at++) {
    const digit = time.charCodeAt(at) - ZERO
    // A zone or the end of the text ends the fraction; what is not told is zero.
    isOver ||= !(digit >= 0 && digit <= 9)
    if (at >= MILLISECONDS_END) fine = fine * 10 + (isOver ? 0 : digit)
  }
  return fine
}

/**
 * Microseconds since the epoch of an RFC 3339 time; finer digits are cut off.
 * @throws Failure E_EVENT_TIME when it is no time, or beyond the year 2255, where a number would
 *   no longer be exact.
 */
export const microseconds = (time: string): number => {
  const sum = Date.parse(time) * MICROSECONDS_PER_MS + fineMicroseconds(time)
  if (Number.isSafeInteger(sum)) return sum
  throw new Failure('E_EVENT_TIME', `time is ${time.slice(0, 64)}, not a time before 2255`, {
    hint: 'Send RFC 3339 such as 2026-01-31T23:59:59.123456Z.'
  })
}

const sortKeys = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([, one]) => one !== null && one !== undefined)
  entries.sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, one]) => [key, sortKeys(one)]))
}

/** Whether an object is what sorting would make of it; labels mostly are. */
const isSorted = (value: object): boolean => {
  let last = ''
  for (const key in value) {
    const one = (value as Record<string, unknown>)[key]
    if (key < last || typeof one === 'object' || one === undefined) return false
    last = key
  }
  return !Array.isArray(value)
}

/** JSON text in which equal content has equal bytes: keys sorted, unreported values left out. */
const canonicalJson = (value: unknown): string =>
  JSON.stringify(
    typeof value === 'object' && value !== null && isSorted(value) ? value : sortKeys(value)
  )

/** Columns whose order of keys the provider chose, and which are kept as they came. */
const VERBATIM = new Set(['usage'])

type SetColumn = (row: EventRow, value: unknown) => void

const setColumn = ({ column, kind }: EventField): SetColumn => {
  if (kind === 'time') return (row, value) => void (row[column] = microseconds(String(value)))
  if (kind !== 'json') return (row, value) => void (row[column] = value as ColumnValue)
  const toText = VERBATIM.has(column) ? JSON.stringify : canonicalJson
  return (row, value) => void (row[column] = toText(value))
}

/** How a field of the event gets into the row: set, or taken apart first. */
type Setters = Map<string, SetColumn | Setters>

/** Fields that are objects of columns (`tokens`, `local`, `prefix`) have setters of their own. */
const setters: Setters = new Map()
for (const field of EVENT_FIELDS) {
  const [name = '', inner] = field.path.split('.')
  if (inner === undefined) {
    setters.set(name, setColumn(field))
    continue
  }
  const known = setters.get(name)
  const nested: Setters = known instanceof Map ? known : new Map()
  setters.set(name, nested.set(inner, setColumn(field)))
}

/** Cloned for each row: far cheaper than adding a hundred keys one by one. */
const EMPTY_ROW: EventRow = Object.fromEntries(EVENT_FIELDS.map(({ column }) => [column, null]))

const setFields = (
  row: EventRow,
  fields: Readonly<Record<string, unknown>>,
  known: Setters
): void => {
  for (const key in fields) {
    const value = fields[key]
    if (value === null || value === undefined) continue
    const setter = known.get(key)
    if (typeof setter === 'function') setter(row, value)
    else if (setter !== undefined) setFields(row, value as Record<string, unknown>, setter)
  }
}

/**
 * One value per column of `EVENT_FIELDS`.
 * @throws Failure E_EVENT_TIME when the event's time is no time.
 */
export const flattenEvent = (event: UsageEvent): EventRow => {
  const row = { ...EMPTY_ROW }
  setFields(row, event, setters)
  return row
}
