import assert from 'node:assert/strict'
import { test } from 'node:test'
import avro from 'avsc'
import fc from 'fast-check'
import { EVENT_BYTES_MAX } from '../event.ts'
import { EVENT_FIELDS, type FieldKind } from '../event-fields.ts'
import { AvroWriter } from './avro-writer.ts'
import { encodeEvent } from './encode-event.ts'
import { EVENT_SCHEMA } from './event-schema.ts'
import { PREFIX_BYTES } from './fingerprint.ts'
import { microseconds, type ColumnValue } from './flatten-event.ts'

const type = avro.Type.forSchema(EVENT_SCHEMA as avro.Schema)

const text = fc.oneof(
  fc.string({ maxLength: 70, unit: 'grapheme' }),
  fc.string({ minLength: 60, maxLength: 68 }),
  fc.constantFrom('', 'é', '🙂'.repeat(40), 'x'.repeat(63), 'x'.repeat(64), 'x'.repeat(9_000))
)
/** Where a varint grows by a byte, on both sides of zero; below -2^52 avsc is no longer exact. */
const whole = fc
  .tuple(fc.integer({ min: 0, max: 52 }), fc.integer({ min: -2, max: 2 }), fc.boolean())
  .map(([power, near, isNegative]) => (2 ** power + near) * (isNegative ? -1 : 1) || 0)
  .filter((value) => value >= -(2 ** 52))
const int = whole.filter((value) => Math.abs(value) < 2 ** 31)
const double = fc.oneof(fc.double({ noNaN: true }), fc.constantFrom(0, 1e300, -1.5))

const VALUES: Readonly<Record<FieldKind, fc.Arbitrary<ColumnValue>>> = {
  time: whole,
  word: text,
  id: text,
  json: text,
  int,
  long: whole,
  double,
  cost: whole,
  boolean: fc.boolean(),
  words: fc.array(text, { maxLength: 4 }),
  doubles: fc.array(double, { maxLength: 4 })
}

const row = fc.record(
  Object.fromEntries(
    EVENT_FIELDS.map(({ column, kind, required }) => [
      column,
      required ? VALUES[kind] : fc.option(VALUES[kind], { freq: 2 })
    ])
  )
)

test('writes the bytes that avsc writes, up to the bound of an event', () => {
  const seen = { written: 0, refused: 0 }
  fc.assert(
    fc.property(row, (values) => {
      const bytes = type.toBuffer(values)
      if (PREFIX_BYTES + bytes.length > EVENT_BYTES_MAX) {
        assert.throws(() => encodeEvent(values), { code: 'E_EVENT_INVALID' })
        seen.refused += 1
        return
      }
      assert.deepEqual(encodeEvent(values).subarray(PREFIX_BYTES), bytes)
      seen.written += 1
    }),
    { numRuns: 200, seed: 7 }
  )
  assert.ok(Math.min(seen.written, seen.refused) > 20, JSON.stringify(seen))
})

test('takes columns in any order, and none as not reported', () => {
  const [values] = fc.sample(row, { numRuns: 1, seed: 7 })
  assert.ok(values)
  const reversed = Object.fromEntries(Object.entries(values).reverse())
  assert.deepEqual(encodeEvent(reversed), encodeEvent(values))
  const named = { id: 'a', time: 1, tenant: 'b', kind: 'llm' }
  const nulls = Object.fromEntries(EVENT_FIELDS.map(({ column }) => [column, null]))
  assert.deepEqual(encodeEvent(named), encodeEvent({ ...nulls, ...named }))
})

test('writes what avsc can not: long numbers below zero', () => {
  const writer = new AvroWriter(new Uint8Array(0), 16)
  for (const value of [-(2 ** 52) - 1, Number.MIN_SAFE_INTEGER]) {
    writer.reset()
    writer.long(value)
    let zigzag = 0n
    for (const [index, byte] of writer.take().entries()) {
      zigzag |= BigInt(byte & 0x7f) << BigInt(7 * index)
    }
    assert.equal(Number((zigzag >> 1n) ^ -(zigzag & 1n)), value)
  }
})

test('reads microseconds as exact arithmetic does', () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date('1900-01-01'), max: new Date('2200-01-01'), noInvalidDate: true }),
      fc.stringMatching(/^\d{0,9}$/),
      fc.constantFrom('Z', '+02:00', '-09:30'),
      (date, digits, zone) => {
        const seconds = date.toISOString().slice(0, 19)
        const time = `${seconds}${digits === '' ? '' : `.${digits}`}${zone}`
        const fraction = Number(digits.slice(0, 6).padEnd(6, '0'))
        assert.equal(microseconds(time), Date.parse(`${seconds}${zone}`) * 1000 + fraction, time)
      }
    ),
    { numRuns: 500, seed: 7 }
  )
})
