import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import avro from 'avsc'
import { EVENT_FIELDS } from '../event-fields.ts'
import { UsageEvent } from '../event.ts'
import { Failure } from '../failure.ts'
import { parsingCanonicalForm } from './canonical-form.ts'
import { EVENT_BYTES_MAX } from '../event.ts'
import { encodeEvent } from './encode-event.ts'
import { EVENT_SCHEMA, type AvroRecord } from './event-schema.ts'
import { fingerprint, messagePrefix, PREFIX_BYTES } from './fingerprint.ts'
import { flattenEvent, microseconds, type EventRow } from './flatten-event.ts'
import { findSchema, KNOWN_SCHEMAS } from './history.ts'

const type = (schema: AvroRecord): avro.Type => avro.Type.forSchema(schema as avro.Schema)

const event: UsageEvent = UsageEvent.parse({
  id: 'event-1',
  source: 'gateway/eu',
  time: '2026-02-03T04:05:06.123456+02:00',
  tenant: 'Zoë & 田中 🙂',
  kind: 'llm',
  duration_ms: 812,
  attempt: 2,
  tags: { zone: 'b', app: 'a' },
  links: ['span-1', 'span-2'],
  usage: { output_tokens: 7, input_tokens: 3, nested: { b: 1, a: null } },
  tokens: {
    in_uncached: 2 ** 31 - 1,
    in_cache_read: 0,
    units: { web_search: 2, audio_ms: 10 },
    iterations: [{ out_text: 4, model: 'm', in_uncached: null }]
  },
  local: { tokenizer: 'o200k', in: 3, out: 4 },
  prefix: { hash: 'h', blocks: ['a', 'b'], block_tokens: 256 },
  status: 200,
  refusal: false,
  scores: [0.25, -1.5e300],
  temperature: 0,
  cost_reported_usd: '0.000123'
})

const failsWith = (code: string, mentions: RegExp) => (error: unknown) =>
  error instanceof Failure && error.code === code && mentions.test(error.message)

describe('flattening an event', () => {
  const row = flattenEvent(event)

  test('gives one value per column, null where nothing was reported', () => {
    assert.deepEqual(
      Object.keys(row),
      EVENT_FIELDS.map(({ column }) => column)
    )
    assert.equal(row['local_in'], 3)
    assert.equal(row['prefix_block_tokens'], 256)
    assert.equal(row['in_cache_read'], 0)
    assert.equal(row['in_cache_write_5m'], null)
    assert.equal(row['refusal'], false)
    assert.equal(row['verdict'], null)
    assert.deepEqual(row['prefix_blocks'], ['a', 'b'])
  })

  test('sorts keys of free-form parts and keeps the usage block as it came', () => {
    assert.equal(row['tags'], '{"app":"a","zone":"b"}')
    assert.equal(row['units'], '{"audio_ms":10,"web_search":2}')
    assert.equal(row['iterations'], '[{"model":"m","out_text":4}]')
    assert.equal(row['usage'], '{"output_tokens":7,"input_tokens":3,"nested":{"b":1,"a":null}}')
  })

  test('covers every field that the native event has', () => {
    const paths = new Set(EVENT_FIELDS.map(({ path }) => path))
    const { tokens, local, prefix, ...top } = UsageEvent.shape
    const inner = { tokens, local, prefix }
    const names = [
      ...Object.keys(top),
      ...Object.entries(inner).flatMap(([name, field]) =>
        Object.keys(field.unwrap().unwrap().shape).map((key) => `${name}.${key}`)
      )
    ]
    assert.deepEqual(
      names.filter((name) => !paths.has(name)),
      []
    )
    assert.equal(names.length, paths.size)
  })

  test('keeps microseconds of times before and after the epoch, in any offset', () => {
    assert.equal(microseconds('1970-01-01T00:00:00Z'), 0)
    assert.equal(microseconds('1969-12-31T23:59:59.999999Z'), -1)
    assert.equal(microseconds('2026-02-03T04:05:06.1234569+02:00'), 1_770_084_306_123_456)
    assert.equal(microseconds('2026-02-03T02:05:06.5Z'), 1_770_084_306_500_000)
  })

  test('refuses what is no time and what a number can not hold exactly', () => {
    for (const time of ['yesterday', '2026-13-01T00:00:00Z', '9999-01-01T00:00:00Z', '']) {
      assert.throws(() => microseconds(time), failsWith('E_EVENT_TIME', /time/))
    }
  })
})

describe('encoding an event', () => {
  test('opens with the marker and the fingerprint of a known schema', () => {
    const message = encodeEvent(flattenEvent(event))
    assert.equal(message.readUInt16BE(0), 0xc301)
    const known = findSchema(message.readBigUInt64LE(2))
    assert.equal(known?.version, KNOWN_SCHEMAS.at(-1)?.version)
    assert.deepEqual(message.subarray(0, PREFIX_BYTES), known?.prefix)
    assert.equal(findSchema(1n), undefined)
  })

  test('is read back value by value', () => {
    const row = { ...flattenEvent(event), in_total: 2 ** 53 - 2, out_total: -(2 ** 52) }
    const back = type(EVENT_SCHEMA).fromBuffer(encodeEvent(row).subarray(PREFIX_BYTES)) as EventRow
    assert.deepEqual({ ...back }, row)
  })

  test('holds messages of any size up to the bound, and refuses larger ones', () => {
    const sized = (length: number) => ({ ...flattenEvent(event), usage: 'x'.repeat(length) })
    for (const length of [0, 7_000, 20_000]) {
      const back = type(EVENT_SCHEMA).fromBuffer(
        encodeEvent(sized(length)).subarray(PREFIX_BYTES)
      ) as EventRow
      assert.equal((back['usage'] as string).length, length)
    }
    assert.throws(() => encodeEvent(sized(EVENT_BYTES_MAX)), failsWith('E_EVENT_INVALID', /bytes/))
  })

  test('names the column that does not fit', () => {
    const wrong = { candidates: 2 ** 31, in_total: 2 ** 53, tenant: null, refusal: 'no' }
    for (const [column, value] of Object.entries(wrong)) {
      const row = { ...flattenEvent(event), [column]: value } as EventRow
      assert.throws(() => encodeEvent(row), failsWith('E_EVENT_INVALID', new RegExp(`^${column} `)))
    }
  })
})

describe('fingerprints', () => {
  test('agree with the published ones of primitive schemas', () => {
    // Apache Avro, share/test/data/schema-tests.txt.
    assert.equal(fingerprint('null'), 7195948357588979594n)
    assert.equal(fingerprint('boolean'), BigInt.asUintN(64, -6970731678124411036n))
    assert.equal(fingerprint('int'), 8247732601305521295n)
    assert.equal(fingerprint('long'), BigInt.asUintN(64, -3434872931120570953n))
    assert.equal(fingerprint({ type: 'string' }), BigInt.asUintN(64, -8142146995180207161n))
    assert.equal(fingerprint({ type: 'fixed', name: 'foo', size: 15 }), 1756455273707447556n)
    assert.equal(
      fingerprint({ type: 'record', name: 'foo', fields: [{ name: 'f1', type: 'boolean' }] }),
      7843277075252814651n
    )
  })

  test('do not change with documentation, defaults, logical types or order of attributes', () => {
    const bare = { fields: [{ type: 'long', name: 'n' }], name: 'a.B', type: 'record' }
    const dressed = {
      type: 'record',
      namespace: 'a',
      name: 'B',
      doc: 'd',
      fields: [
        { name: 'n', type: { type: 'long', logicalType: 'timestamp-micros' }, default: 1, doc: 'x' }
      ]
    }
    assert.equal(
      parsingCanonicalForm(dressed),
      '{"name":"a.B","type":"record","fields":[{"name":"n","type":"long"}]}'
    )
    assert.equal(fingerprint(bare), fingerprint(dressed))
    assert.notEqual(fingerprint(bare), fingerprint({ ...bare, name: 'a.C' }))
  })
})

/** An early, smaller schema: what a first version looks like after years of added fields. */
const reduced: AvroRecord = {
  ...EVENT_SCHEMA,
  fields: EVENT_SCHEMA.fields.filter(
    ({ name, default: byDefault }) => byDefault !== null || ['source', 'in_total'].includes(name)
  )
}

/** A value that one schema wrote, as another one reads it. */
const resolve = (reader: AvroRecord, writer: AvroRecord, bytes: Buffer): EventRow => {
  const readerType = type(reader)
  return readerType.fromBuffer(bytes, readerType.createResolver(type(writer))) as EventRow
}

/** What is wrong with reading one schema's records by another; null when nothing is. */
const mismatch = (reader: AvroRecord, writer: AvroRecord): string | null => {
  const writerType = type(writer)
  try {
    resolve(reader, writer, writerType.toBuffer(writerType.random()))
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

describe('the history of schemas', () => {
  test('ends with the schema that is written now', () => {
    assert.deepEqual(
      KNOWN_SCHEMAS.at(-1)?.schema,
      EVENT_SCHEMA,
      'the fields changed: run `npx tsx schemas/avro/main.ts` and commit the new version'
    )
  })

  test('has versions without holes and with distinct fingerprints', () => {
    assert.deepEqual(
      KNOWN_SCHEMAS.map(({ version }) => version),
      KNOWN_SCHEMAS.map((_, index) => index + 1)
    )
    assert.equal(
      new Set(KNOWN_SCHEMAS.map((known) => known.fingerprint)).size,
      KNOWN_SCHEMAS.length
    )
  })

  test('lets each version read every other, older and newer', () => {
    const all = [reduced, ...KNOWN_SCHEMAS.map(({ schema }) => schema)]
    for (const reader of all) {
      for (const writer of all) assert.equal(mismatch(reader, writer), null)
    }
  })

  test('carries values from an old record into a new reader and back', () => {
    const row = flattenEvent(event)
    const read = resolve(EVENT_SCHEMA, reduced, type(reduced).toBuffer(row))
    assert.equal(read['tenant'], event.tenant)
    assert.equal(read['source'], 'gateway/eu')
    assert.equal(read['status'], null)
    const back = resolve(reduced, EVENT_SCHEMA, encodeEvent(row).subarray(PREFIX_BYTES))
    assert.equal(back['id'], event.id)
  })

  test('would be broken by a new required field, another type or a renamed column', () => {
    const withField = (field: AvroRecord['fields'][number]): AvroRecord => ({
      ...EVENT_SCHEMA,
      fields: [...EVENT_SCHEMA.fields.filter(({ name }) => name !== field.name), field]
    })
    const required = withField({ name: 'new_one', type: 'string' })
    const retyped = withField({ name: 'tenant', type: 'long' })
    assert.match(mismatch(required, EVENT_SCHEMA) ?? '', /new_one/)
    assert.notEqual(mismatch(retyped, EVENT_SCHEMA), null)
    assert.notEqual(mismatch(EVENT_SCHEMA, retyped), null)
  })

  test('knows the prefix of each version', () => {
    for (const known of KNOWN_SCHEMAS) {
      assert.deepEqual(known.prefix, messagePrefix(known.schema))
      assert.equal(findSchema(known.fingerprint), known)
    }
  })
})
