import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import avro from 'avsc'
import fc from 'fast-check'
import { encodeEvent } from '../../../schemas/avro/encode-event.ts'
import { EVENT_SCHEMA } from '../../../schemas/avro/event-schema.ts'
import { PREFIX_BYTES } from '../../../schemas/avro/fingerprint.ts'
import type { ColumnValue, EventRow } from '../../../schemas/avro/flatten-event.ts'
import {
  COUNT_MAX,
  EVENT_TIME_MS_MIN,
  FORBIDDEN_CHARACTERS,
  KINDS
} from '../../../schemas/event.ts'
import { EVENT_FIELDS, type EventField } from '../../../schemas/event-fields.ts'
import type { ColumnData, TextHeap } from '../../lake/columns.ts'
import { runOf } from '../fixtures/run-of.ts'
import { Pending } from '../pending.ts'
import { nativeFormat } from './messages.ts'

const APPENDED_MS = Date.parse('2026-03-01T00:00:00Z')
const COLUMNS = EVENT_FIELDS.map(({ column }) => column)
/** What an Avro library that we did not write makes of the same bytes. */
const type = avro.Type.forSchema(EVENT_SCHEMA as avro.Schema)

const label = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
  .filter((text) => !FORBIDDEN_CHARACTERS.test(text))
const number = fc.double({ noNaN: true, noDefaultInfinity: true })

const valueOf = ({ column, kind }: EventField): fc.Arbitrary<ColumnValue> => {
  switch (kind) {
    case 'time':
      return fc.integer({ min: EVENT_TIME_MS_MIN, max: APPENDED_MS }).map((ms) => ms * 1000 + 7)
    case 'int':
    case 'long':
      return fc.integer({ min: 0, max: COUNT_MAX })
    case 'double':
    case 'cost':
      return number
    case 'boolean':
      return fc.boolean()
    case 'words':
      return fc.array(label, { maxLength: 5 })
    case 'doubles':
      return fc.array(number, { maxLength: 5 })
    case 'json':
      return fc.json()
    default:
      return column === 'kind' ? fc.constantFrom(...KINDS) : label
  }
}

const event: fc.Arbitrary<EventRow> = fc.record(
  Object.fromEntries(
    EVENT_FIELDS.map((field) => [
      field.column,
      field.required ? valueOf(field) : fc.option(valueOf(field), { freq: 3 })
    ])
  )
)

const message = event.map((row) => Buffer.from(encodeEvent(row)))

/** Decodes messages as the records 0, 1, 2 … of one partition. */
const decode = (messages: readonly Uint8Array[]) => {
  const pending = new Pending(nativeFormat())
  pending.add(runOf(messages, APPENDED_MS), { topic: 'events', incarnation: 'one' })
  return { rows: rowsOf(pending), quarantined: pending.quarantined() }
}

/** Rows by offset, with null for every column that holds nothing. */
const rowsOf = (pending: Pending): Map<number, EventRow> => {
  const { names, segments } = pending.segments()
  const rows = new Map<number, EventRow>()
  for (const { rows: count, columns } of segments) {
    for (let index = 0; index < count; index++) {
      const read = new Map(names.map((name, place) => [name, cell(columns[place]!, index)]))
      const row = COLUMNS.map((column) => [column, read.get(column) ?? null] as const)
      rows.set(Number(read.get('offset')), Object.fromEntries(row))
    }
  }
  return rows
}

const textAt = ({ heap, starts, ends }: TextHeap, at: number): string =>
  Buffer.from(heap.subarray(starts[at], ends[at])).toString()

const cell = (column: ColumnData, row: number): ColumnValue => {
  const { valid } = column
  if (valid !== null && (valid[row >> 3]! & (1 << (row & 7))) === 0) return null
  switch (column.type) {
    case 'INTEGER':
    case 'DOUBLE':
      return column.values[row]!
    case 'BOOLEAN':
      return column.values[row] === 1
    case 'BIGINT':
    case 'TIMESTAMP':
      return column.values[row * 2 + 1]! * 2 ** 32 + (column.values[row * 2]! >>> 0)
    case 'ENUM':
      return column.dictionary.values[column.dictionary.rank[column.codes[row]!]!]!
    case 'VARCHAR':
    case 'BLOB':
      return textAt(column.text, row)
    default:
      return list(column, row)
  }
}

const list = (
  column: Extract<ColumnData, { firsts: Int32Array }>,
  row: number
): string[] | number[] => {
  const places = Array.from({ length: column.lengths[row]! }, (_, at) => column.firsts[row]! + at)
  return column.type === 'DOUBLE[]'
    ? places.map((at) => column.items[at]!)
    : places.map((at) => textAt(column.items, at))
}

const asAvsc = (bytes: Uint8Array): EventRow => ({
  ...(type.fromBuffer(Buffer.from(bytes.subarray(PREFIX_BYTES))) as EventRow)
})

/** What may happen to the bytes of a record on their way. */
type Harm = { at: number; kind: 'flip' | 'set' | 'cut' | 'insert' | 'remove'; byte: number }

const harm: fc.Arbitrary<Harm> = fc.record({
  at: fc.nat(),
  kind: fc.constantFrom('flip', 'set', 'cut', 'insert', 'remove'),
  byte: fc.integer({ min: 0, max: 255 })
})

const harmed = (bytes: Buffer, { at, kind, byte }: Harm): Buffer => {
  const place = at % bytes.length
  const [before, rest] = [bytes.subarray(0, place), bytes.subarray(place)]
  switch (kind) {
    case 'flip':
      return Buffer.concat([before, Buffer.from([rest[0]! ^ (1 << (byte & 7))]), rest.subarray(1)])
    case 'set':
      return Buffer.concat([before, Buffer.from([byte]), rest.subarray(1)])
    case 'cut':
      return Buffer.from(before)
    case 'insert':
      return Buffer.concat([before, Buffer.from([byte]), rest])
    case 'remove':
      return Buffer.concat([before, rest.subarray(1)])
  }
}

describe('decoding', () => {
  test('gives what another Avro library gives, in all fields', () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 12 }), (messages) => {
        const { rows, quarantined } = decode(messages)
        assert.deepEqual(quarantined, [])
        assert.deepEqual([...rows.values()], messages.map(asAvsc))
      }),
      { numRuns: 60 }
    )
  })

  test('of harmed bytes never fails, and never disturbs the neighbours', () => {
    const harms = fc.array(harm, { minLength: 1, maxLength: 3 })
    const between = fc.tuple(message, message, harms, message)
    fc.assert(
      fc.property(between, ([first, middle, all, last]) => {
        const bad = all.reduce(harmed, middle)
        const { rows, quarantined } = decode([first, bad, last])
        assert.deepEqual(rows.get(0), asAvsc(first))
        assert.deepEqual(rows.get(2), asAvsc(last))
        const refused = quarantined.map(({ offset }) => offset)
        assert.deepEqual(refused, rows.has(1) ? [] : [1])
        // What is taken after all says the same to everybody.
        if (rows.has(1)) assert.deepEqual(rows.get(1), asAvsc(bad))
      }),
      { numRuns: 600 }
    )
  })
})
