import { EVENT_BYTES_MAX } from '../event.ts'
import { EVENT_FIELDS, type FieldKind } from '../event-fields.ts'
import { Failure } from '../failure.ts'
import { AvroWriter } from './avro-writer.ts'
import { EVENT_SCHEMA } from './event-schema.ts'
import type { ColumnValue, EventRow } from './flatten-event.ts'
import { messagePrefix } from './fingerprint.ts'

/**
 * Usage events in Avro's single-object encoding. Ours and not a library's, because a hundred unions
 * an event, most of them null, are most of what a collector does; avsc reads it back in the tests.
 */

/** Room for a message on the first try; typical events have 300 to 900 bytes. */
const SCRATCH_BYTES = 64 * 1024
const writer = new AvroWriter(messagePrefix(EVENT_SCHEMA), SCRATCH_BYTES)

/** Branches of `[null, type]`, and the end of an array, as the bytes that they are. */
const NULL = 0
const VALUE = 2
const END = 0

/** What 32 bits hold. */
const INT_MAX = 2 ** 31 - 1

/** How a value of a kind is told, and written. */
type Column = {
  expected: string
  fits: (value: unknown) => boolean
  write: (value: never) => void
}

const isText = (value: unknown): boolean => typeof value === 'string'
const isNumber = (value: unknown): boolean => typeof value === 'number'

const listOf = ({ expected, fits, write }: Column): Column => ({
  expected: `a list: ${expected}`,
  fits: (value) => Array.isArray(value) && value.every(fits),
  write: (values: never[]) => {
    if (values.length > 0) {
      writer.long(values.length)
      for (const value of values) write(value)
    }
    writer.byte(END)
  }
})

const TEXT: Column = { expected: 'text', fits: isText, write: (value) => writer.text(value) }
const LONG: Column = {
  expected: 'a whole number that JSON holds exactly',
  fits: Number.isSafeInteger,
  write: (value) => writer.long(value)
}
const INT: Column = {
  ...LONG,
  expected: 'a whole number of 32 bits',
  fits: (value) => Number.isInteger(value) && Math.abs(value as number) <= INT_MAX
}
const DOUBLE: Column = {
  expected: 'a number',
  fits: isNumber,
  write: (value) => writer.double(value)
}
const BOOLEAN: Column = {
  expected: 'true or false',
  fits: (value) => typeof value === 'boolean',
  write: (value) => writer.byte(Number(value))
}

const COLUMNS: Readonly<Record<FieldKind, Column>> = {
  time: LONG,
  word: TEXT,
  id: TEXT,
  json: TEXT,
  int: INT,
  long: LONG,
  double: DOUBLE,
  cost: LONG,
  boolean: BOOLEAN,
  words: listOf(TEXT),
  doubles: listOf(DOUBLE)
}

const FIELDS = EVENT_FIELDS.map(({ column: name, kind, required = false }) => ({
  name,
  required,
  ...COLUMNS[kind]
}))

const shown = (value: unknown): string => (JSON.stringify(value) ?? String(value)).slice(0, 64)

const writeField = (field: (typeof FIELDS)[number], value: ColumnValue): void => {
  if (value === null && !field.required) return writer.byte(NULL)
  if (!field.fits(value)) {
    const message = `${field.name} is ${shown(value)}, not ${field.expected}`
    throw new Failure('E_EVENT_INVALID', message)
  }
  if (!field.required) writer.byte(VALUE)
  field.write(value as never)
}

/** Rows as `flattenEvent` makes them have their columns in order, which spares a look-up for each. */
const writeInOrder = (row: EventRow): boolean => {
  let index = 0
  for (const name in row) {
    const field = FIELDS[index++]
    if (field?.name !== name) return false
    writeField(field, row[name] ?? null)
  }
  return index === FIELDS.length
}

/**
 * One message in Avro's single-object encoding from a flat row (see `flattenEvent`).
 * @throws Failure E_EVENT_INVALID when a value does not fit its column or the event is too large.
 */
export const encodeEvent = (row: EventRow): Buffer => {
  writer.reset()
  if (!writeInOrder(row)) {
    writer.reset()
    for (const field of FIELDS) writeField(field, row[field.name] ?? null)
  }
  if (writer.length > EVENT_BYTES_MAX) {
    throw new Failure('E_EVENT_INVALID', `the event has ${writer.length} bytes`, {
      hint: `Keep events below ${EVENT_BYTES_MAX} bytes; send hashes instead of content.`
    })
  }
  return writer.take()
}
