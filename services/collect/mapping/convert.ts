import type { FieldKind } from '../../../schemas/event-fields.ts'
import { isJsonObject } from '../json-value.ts'
import { decimalText } from '../label.ts'

export const TIME_UNITS = ['s', 'ms', 'us', 'ns'] as const
export type TimeUnit = (typeof TIME_UNITS)[number]

/** How a value becomes one of a native field. */
export type Conversion = {
  kind: FieldKind
  /** Unit of a time that is a number; with a base, of the number since it. */
  unit?: TimeUnit | undefined
  baseMs?: number | undefined
  /** Factor of a number: 1000 makes milliseconds of seconds. */
  times?: number | undefined
  /** Decimal string wanted. */
  isDecimal?: boolean
}

/** A value that can not become what the field takes; the message says why. */
export class Misfit extends Error {}

const PER_SECOND: Readonly<Record<TimeUnit, number>> = { s: 1, ms: 1e3, us: 1e6, ns: 1e9 }
const MS_PER_SECOND = 1000
/** Years 0 to 9999 in milliseconds, so that absurd times are told and not thrown. */
const DATE_MS_MAX = 253_402_300_799_999

/** @throws Misfit */
export const convert = (value: unknown, how: Conversion): unknown =>
  how.isDecimal === true ? decimal(value) : CONVERTERS[how.kind](value, how)

const text = (value: unknown): string => {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw new Misfit('is no text')
}

const NUMBER = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/

const number = (value: unknown, { times = 1 }: Conversion): number => {
  const isText = typeof value === 'string' && NUMBER.test(value.trim())
  const found = typeof value === 'number' ? value : isText ? Number(value) : Number.NaN
  if (!Number.isFinite(found)) throw new Misfit('is no number')
  return found * times
}

const boolean = (value: unknown): boolean => {
  if (typeof value === 'boolean') return value
  if (value === 'true' || value === 1) return true
  if (value === 'false' || value === 0) return false
  throw new Misfit('is neither true nor false')
}

const list = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : [value])

const decimal = (value: unknown): string => {
  const found = decimalText(value)
  if (found === null) throw new Misfit('is no decimal number')
  return found
}

/** A block comes as an object, or as the JSON text of one. */
const json = (value: unknown): unknown => {
  if (isJsonObject(value) || Array.isArray(value)) return value
  if (typeof value !== 'string') throw new Misfit('is no JSON object')
  try {
    const parsed: unknown = JSON.parse(value)
    if (isJsonObject(parsed) || Array.isArray(parsed)) return parsed
  } catch {
    // told below
  }
  throw new Misfit('is text that is no JSON object')
}

const time = (value: unknown, how: Conversion): string => {
  const { unit, baseMs = 0 } = how
  if (unit === undefined) {
    if (typeof value === 'string') return value
    throw new Misfit('is a number: say its unit (s, ms, us or ns)')
  }
  const ms = baseMs + (number(value, how) / PER_SECOND[unit]) * MS_PER_SECOND
  if (Math.abs(ms) > DATE_MS_MAX) throw new Misfit(`is no time in ${unit}`)
  return microsecondText(ms)
}

const microsecondText = (ms: number): string => {
  const microseconds = Math.round(ms * MS_PER_SECOND)
  const wholeMs = Math.floor(microseconds / MS_PER_SECOND)
  const rest = String(microseconds - wholeMs * MS_PER_SECOND).padStart(3, '0')
  return new Date(wholeMs).toISOString().replace('Z', `${rest}Z`)
}

const CONVERTERS: Readonly<Record<FieldKind, (value: unknown, how: Conversion) => unknown>> = {
  time,
  word: text,
  id: text,
  int: (value, how) => Math.round(number(value, how)),
  long: (value, how) => Math.round(number(value, how)),
  double: number,
  cost: number,
  boolean,
  words: (value) => list(value).map(text),
  doubles: (value, how) => list(value).map((one) => number(one, how)),
  json
}
