import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import protobuf from 'protobufjs/minimal.js'
import { Failure } from '../../../../schemas/failure.ts'
import { readJsonSpans } from './json.ts'
import { readSpans } from './protobuf.ts'
import type { Span } from './span.ts'

type Writer = protobuf.Writer
type AnyValue =
  | { stringValue: string }
  | { boolValue: boolean }
  | { intValue: string }
  | { doubleValue: number }
  | { arrayValue: { values: AnyValue[] } }
  | { kvlistValue: { values: KeyValue[] } }
type KeyValue = { key: string; value: AnyValue }
type JsonSpan = {
  traceId: string
  spanId: string
  name: string
  startTimeUnixNano: string
  attributes: KeyValue[]
  events: { name: string; timeUnixNano: string; attributes: KeyValue[] }[]
  links: { spanId: string }[]
  status: { code: number }
}

const VARINT = 0
const FIXED64 = 1
const PART = 2
const FIXED32 = 5
const tag = (field: number, type: number): number => field * 8 + type

const nested = (writer: Writer, field: number, write: () => void): void => {
  writer.uint32(tag(field, PART)).fork()
  write()
  writer.ldelim()
}

const writeValue = (writer: Writer, value: AnyValue): void => {
  if ('stringValue' in value) writer.uint32(tag(1, PART)).string(value.stringValue)
  else if ('boolValue' in value) writer.uint32(tag(2, VARINT)).bool(value.boolValue)
  else if ('intValue' in value) writer.uint32(tag(3, VARINT)).int64(value.intValue)
  else if ('doubleValue' in value) writer.uint32(tag(4, FIXED64)).double(value.doubleValue)
  else if ('arrayValue' in value) {
    nested(writer, 5, () => {
      for (const one of value.arrayValue.values) nested(writer, 1, () => writeValue(writer, one))
    })
  } else nested(writer, 6, () => writeAll(writer, 1, value.kvlistValue.values))
}

const writeAll = (writer: Writer, field: number, entries: readonly KeyValue[]): void => {
  for (const { key, value } of entries) {
    nested(writer, field, () => {
      writer.uint32(tag(1, PART)).string(key)
      nested(writer, 2, () => writeValue(writer, value))
    })
  }
}

const writeSpan = (writer: Writer, span: JsonSpan): void => {
  writer.uint32(tag(1, PART)).bytes(Buffer.from(span.traceId, 'hex'))
  // Fields that nobody knows, of every wire type, and a known one of another type.
  writer.uint32(tag(99, FIXED32)).fixed32(7).uint32(tag(98, PART)).string('?')
  writer.uint32(tag(97, VARINT)).uint64('18446744073709551615').uint32(tag(5, VARINT)).uint32(9)
  writer.uint32(tag(2, PART)).bytes(Buffer.from(span.spanId, 'hex'))
  writer.uint32(tag(5, PART)).string(span.name)
  writer.uint32(tag(7, FIXED64)).fixed64(span.startTimeUnixNano)
  writeAll(writer, 9, span.attributes)
  for (const event of span.events) {
    nested(writer, 11, () => {
      writer.uint32(tag(1, FIXED64)).fixed64(event.timeUnixNano)
      writer.uint32(tag(2, PART)).string(event.name)
      writeAll(writer, 3, event.attributes)
    })
  }
  for (const { spanId } of span.links) {
    nested(writer, 13, () => writer.uint32(tag(2, PART)).bytes(Buffer.from(spanId, 'hex')))
  }
  nested(writer, 15, () => writer.uint32(tag(3, VARINT)).int32(span.status.code))
}

const RESOURCE: KeyValue[] = [{ key: 'service.name', value: { stringValue: 'checkout' } }]
const SCOPE = { name: 'openai', version: '2' }

/** The resource stands behind its spans, which is as good a place as any. */
const asProtobuf = (spans: readonly JsonSpan[]): Uint8Array => {
  const writer = protobuf.Writer.create()
  nested(writer, 1, () => {
    nested(writer, 2, () => {
      for (const span of spans) nested(writer, 2, () => writeSpan(writer, span))
      nested(writer, 1, () => {
        writer.uint32(tag(1, PART)).string(SCOPE.name).uint32(tag(2, PART)).string(SCOPE.version)
      })
    })
    nested(writer, 1, () => writeAll(writer, 1, RESOURCE))
  })
  return writer.finish()
}

const asJson = (spans: readonly JsonSpan[]): Uint8Array =>
  Buffer.from(
    JSON.stringify({
      resourceSpans: [{ resource: { attributes: RESOURCE }, scopeSpans: [{ scope: SCOPE, spans }] }]
    })
  )

const entriesOf = ({ names, get }: Span['attributes'], holder: object): unknown[] =>
  [...names.call(holder)].map((name) => [name, get.call(holder, name)])

/** A span with its attributes read out. */
const plain = ({ attributes, resource, moments, ...span }: Span): object => ({
  ...span,
  attributes: entriesOf(attributes, attributes),
  resource: entriesOf(resource, resource),
  moments: moments.map((moment) => ({
    ...moment,
    attributes: entriesOf(moment.attributes, moment.attributes)
  }))
})

const text = fc.string({ maxLength: 12, unit: 'grapheme' })
const int = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -3n, max: 2n ** 15n }),
  fc.constantFrom(2n ** 49n - 1n, 2n ** 49n, 2n ** 53n, -(2n ** 53n))
)
const leaf: fc.Arbitrary<AnyValue> = fc.oneof(
  text.map((stringValue) => ({ stringValue })),
  fc.boolean().map((boolValue) => ({ boolValue })),
  int.map((intValue) => ({ intValue: String(intValue) })),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((doubleValue) => ({
    doubleValue: doubleValue || 0
  }))
)
const keyed = (value: fc.Arbitrary<AnyValue>): fc.Arbitrary<KeyValue[]> =>
  fc.array(fc.record({ key: text, value }), { maxLength: 3 })
const value = fc.oneof(
  leaf,
  fc.array(leaf, { maxLength: 3 }).map((values) => ({ arrayValue: { values } })),
  keyed(leaf).map((values) => ({ kvlistValue: { values } }))
)
const hex = (digits: number): fc.Arbitrary<string> =>
  fc.stringMatching(new RegExp(`^[0-9a-f]{${digits}}$`))
const ns = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map(String)
const span: fc.Arbitrary<JsonSpan> = fc.record({
  traceId: hex(32),
  spanId: hex(16),
  name: text,
  startTimeUnixNano: ns,
  attributes: keyed(value),
  events: fc.array(fc.record({ name: text, timeUnixNano: ns, attributes: keyed(leaf) }), {
    maxLength: 2
  }),
  links: fc.array(fc.record({ spanId: hex(16) }), { maxLength: 2 }),
  status: fc.record({ code: fc.constantFrom(0, 1, 2) })
})

test('spans are the same in protobuf and in JSON', () => {
  fc.assert(
    fc.property(fc.array(span, { maxLength: 4 }), (spans) => {
      assert.deepEqual(
        readSpans(asProtobuf(spans)).map(plain),
        readJsonSpans(asJson(spans)).map(plain)
      )
    }),
    { numRuns: 150, seed: 7 }
  )
})

test('bytes that are cut or changed are refused by name, or read as something else', () => {
  const [spans] = fc.sample(fc.array(span, { minLength: 2, maxLength: 2 }), { seed: 3, numRuns: 1 })
  assert.ok(spans)
  const bytes = asProtobuf(spans)
  const read = (changed: Uint8Array): string => {
    try {
      return JSON.stringify(readSpans(changed).map(plain), (_key, one: unknown) =>
        typeof one === 'bigint' ? String(one) : one
      )
    } catch (error) {
      assert.ok(error instanceof Failure && error.code === 'E_BODY_UNREADABLE', String(error))
      return error.code
    }
  }
  for (let end = 1; end < bytes.length; end++) {
    assert.equal(read(bytes.subarray(0, end)), 'E_BODY_UNREADABLE', `cut at ${end}`)
  }
  let refused = 0
  for (let at = 0; at < bytes.length; at++) {
    const changed = Uint8Array.from(bytes)
    changed[at] = 0xff
    if (read(changed) === 'E_BODY_UNREADABLE') refused++
  }
  assert.ok(refused > 20, `${refused} of ${bytes.length} changes were refused`)
})

/** A request of one span with one attribute. */
const withValue = (write: (writer: Writer) => void): Uint8Array => {
  const writer = protobuf.Writer.create()
  const attribute = (): void => {
    writer.uint32(tag(1, PART)).string('value')
    nested(writer, 2, () => write(writer))
  }
  nested(writer, 1, () =>
    nested(writer, 2, () => nested(writer, 2, () => nested(writer, 9, attribute)))
  )
  return writer.finish()
}

test('nesting and numbers of messages are bounded', () => {
  const nest = (writer: Writer, left: number): void => {
    if (left > 0) nested(writer, 5, () => nested(writer, 1, () => nest(writer, left - 1)))
  }
  const [deep] = readSpans(withValue((writer) => nest(writer, 40)))
  assert.throws(() => deep?.attributes.get('value'), /nests too deeply/)
  const values = Buffer.alloc(2_200_000)
  for (let at = 0; at < values.length; at += 2) values[at] = tag(1, PART)
  const [wide] = readSpans(withValue((writer) => writer.uint32(tag(5, PART)).bytes(values)))
  assert.throws(() => wide?.attributes.get('value'), /too many messages/)
})
