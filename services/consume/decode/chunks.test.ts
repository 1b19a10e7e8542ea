import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import avro from 'avsc'
import { Failure } from '../../../schemas/failure.ts'
import type { ColumnData, TextHeap } from '../../lake/columns.ts'
import { runOf } from '../fixtures/run-of.ts'
import { Pending } from '../pending.ts'
import { resolveAvro } from './avro-type.ts'
import { CHUNK_RECORDS } from './chunk.ts'
import { foreignFormat, type MessageFormat } from './messages.ts'

const APPENDED_MS = Date.parse('2026-03-01T00:00:00Z')
const APPENDED_US = APPENDED_MS * 1000

/** A schema in which one column may be filled by values of several types. */
const SCHEMA = {
  type: 'record',
  name: 'Call',
  fields: [
    { name: 'id', type: ['string', 'bytes', { type: 'fixed', name: 'Id', size: 4 }] },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-micros' } },
    {
      name: 'who',
      type: ['null', 'string', { type: 'enum', name: 'Who', symbols: ['acme', 'zeta'] }]
    },
    { name: 'tags', type: { type: 'map', values: 'string' } },
    { name: 'status', type: ['int', 'null', 'long'] },
    { name: 'links', type: ['null', { type: 'array', items: 'string' }] },
    { name: 'marks', type: { type: 'array', items: 'double' } }
  ]
} as const

const FORMAT = foreignFormat({
  schema: SCHEMA,
  prefixBytes: 0,
  columns: {
    id: 'id',
    time: 'at',
    tenant: 'who',
    status: 'status',
    links: 'links',
    scores: 'marks'
  },
  fixed: { kind: 'llm', source: 'gateway' }
})
const type = avro.Type.forSchema(SCHEMA as unknown as avro.Schema, { wrapUnions: true })

type Call = Record<'id' | 'who' | 'tags' | 'status' | 'links' | 'marks', unknown> & { at: number }

const IDS = (row: number): { given: unknown; read: string } =>
  [
    { given: { string: `call ${row}` }, read: `call ${row}` },
    {
      given: { bytes: Buffer.from([row & 255, 1]) },
      read: Buffer.from([row & 255, 1]).toString('hex')
    },
    { given: { Id: Buffer.from('ÿab') }, read: Buffer.from('ÿab').toString('hex') }
  ][row % 3]!

const linksOf = (row: number): string[] =>
  Array.from({ length: row % 3 }, (_, at) => `link ${row} ${at}`)

const callOf = (row: number, more: Partial<Call> = {}): Call => ({
  id: IDS(row).given,
  at: APPENDED_US - row,
  who: row % 2 === 0 ? { string: `tenant-${row % 5}` } : { Who: 'zeta' },
  tags: row % 4 === 0 ? { team: 'a', project: 'b' } : {},
  status: row % 5 === 0 ? null : row % 5 === 1 ? { long: row } : { int: row },
  links: row % 3 === 0 ? null : { array: linksOf(row) },
  marks: Array.from({ length: row % 4 }, (_, at) => row + at / 2),
  ...more
})

/** What makes a record unreadable, and what is said of it. */
const FAULTS: readonly { bytes: (row: number) => Buffer; code: string; says: RegExp }[] = [
  {
    bytes: (row) => encode(callOf(row)).subarray(0, 5),
    code: 'E_RECORD_UNREADABLE',
    says: /^(id|at): .+/
  },
  {
    bytes: (row) => Buffer.concat([encode(callOf(row)), Buffer.of(0)]),
    code: 'E_RECORD_UNREADABLE',
    says: /^1 bytes too many/
  },
  {
    bytes: (row) => encode(callOf(row, { who: null })),
    code: 'E_EVENT_INVALID',
    says: /^tenant is missing/
  },
  {
    bytes: (row) => encode(callOf(row, { who: { string: '\u0007' } })),
    code: 'E_RECORD_UNREADABLE',
    says: /^who: control/
  },
  {
    bytes: (row) => encode(callOf(row, { at: APPENDED_US * 2 })),
    code: 'E_EVENT_TIME',
    says: /^time: .+ after its arrival/
  },
  { bytes: (row) => encode(callOf(row, { at: 5 })), code: 'E_EVENT_TIME', says: /^at: 5 µs/ },
  {
    bytes: (row) => encode(callOf(row, { status: { int: -1 } })),
    code: 'E_EVENT_INVALID',
    says: /^status: -1 lies outside/
  },
  {
    bytes: (row) => encode(callOf(row, { links: { array: ['fine', '\u0007'] } })),
    code: 'E_RECORD_UNREADABLE',
    says: /^links: control/
  },
  { bytes: () => Buffer.of(8), code: 'E_RECORD_UNREADABLE', says: /^id: a union has no branch 4/ }
]

const encode = (call: Call): Buffer => type.toBuffer(call)

const landed = (messages: readonly Uint8Array[], format: MessageFormat = FORMAT): Pending => {
  const pending = new Pending(format)
  add(pending, messages)
  return pending
}

const add = (pending: Pending, messages: readonly Uint8Array[]): void => {
  pending.add(runOf(messages, APPENDED_MS), { topic: 'calls', incarnation: 'one' })
}

const textAt = (column: ColumnData, row: number): string | null => {
  if (column.valid !== null && (column.valid[row >> 3]! & (1 << (row & 7))) === 0) return null
  if (column.type === 'ENUM')
    return column.dictionary.values[column.dictionary.rank[column.codes[row]!]!]!
  if (column.type === 'INTEGER') return String(column.values[row])
  if (column.type === 'VARCHAR') return cut(column.text, row)
  assert.ok(column.type === 'VARCHAR[]' || column.type === 'DOUBLE[]')
  const places = Array.from({ length: column.lengths[row]! }, (_, at) => column.firsts[row]! + at)
  const { items } = column
  return places.map((at) => ('heap' in items ? cut(items, at) : items[at])).join('; ')
}

const cut = ({ heap, starts, ends }: TextHeap, at: number): string =>
  Buffer.from(heap.subarray(starts[at], ends[at])).toString()

/** What was read of every row. */
const COLUMNS = ['id', 'tenant', 'status', 'links', 'scores']

const rowsOf = (pending: Pending): (string | null)[][] => {
  const { names, segments } = pending.segments()
  return segments.flatMap(({ rows, columns }) =>
    Array.from({ length: rows }, (_, row) => {
      const offsets = columns[names.indexOf('offset')]!
      assert.ok(offsets.type === 'BIGINT')
      const cells = COLUMNS.map((name) => textAt(columns[names.indexOf(name)]!, row))
      return [String(offsets.values[row * 2]), ...cells]
    })
  )
}

const expected = (row: number): (string | null)[] => [
  String(row),
  IDS(row).read,
  row % 2 === 0 ? `tenant-${row % 5}` : 'zeta',
  row % 5 === 0 ? null : String(row),
  row % 3 === 0 ? null : linksOf(row).join('; '),
  Array.from({ length: row % 4 }, (_, at) => row + at / 2).join('; ')
]

describe('records that are read a chunk at a time', () => {
  const rows = Array.from({ length: CHUNK_RECORDS * 2 + 50 }, (_, row) => row)

  test('become the same rows, whatever types a union holds', () => {
    const pending = landed(rows.map((row) => encode(callOf(row))))
    assert.deepEqual(pending.quarantined(), [])
    assert.deepEqual(rowsOf(pending), rows.map(expected))
  })

  test('leave out those that can not be read, each with its own reason, and keep their order', () => {
    const isBad = (row: number): boolean => row % 11 === 3 || row === CHUNK_RECORDS
    const faultOf = (row: number) => FAULTS[row % FAULTS.length]!
    const pending = landed(
      rows.map((row) => (isBad(row) ? faultOf(row).bytes(row) : encode(callOf(row))))
    )
    const refused = pending.quarantined()
    assert.deepEqual(
      refused.map(({ offset, code }) => [offset, code]),
      rows.filter(isBad).map((row) => [row, faultOf(row).code])
    )
    for (const { offset, reason } of refused) assert.match(reason, faultOf(offset).says)
    assert.deepEqual(rowsOf(pending), rows.filter((row) => !isBad(row)).map(expected))
  })

  test('say the same in a later flush, whose words come in another order', () => {
    const messages = rows.map((row) => encode(callOf(row)))
    const pending = landed(messages)
    pending.segments()
    const turned = [...messages].reverse()
    for (const [bytes, read] of [
      [turned, [...rows].reverse()],
      [messages, rows]
    ] as const) {
      pending.clear()
      add(pending, bytes)
      const seen = rowsOf(pending).map(([, ...cells]) => cells)
      assert.deepEqual(
        seen,
        read.map((row) => expected(row).slice(1))
      )
    }
  })

  test('hold no column that only refused records had a value in', () => {
    const bad = callOf(1, { links: { array: ['fine'] }, at: APPENDED_US * 2 })
    const good = callOf(3, { status: null, marks: [] })
    const { names } = landed([encode(bad), encode(good)]).segments()
    assert.deepEqual(
      COLUMNS.filter((name) => names.includes(name)),
      ['id', 'tenant', 'scores']
    )
  })

  test('of chunks in which nothing can be read leave nothing', () => {
    const pending = landed(rows.map((row) => FAULTS[row % FAULTS.length]!.bytes(row)))
    assert.equal(pending.quarantined().length, rows.length)
    assert.deepEqual(pending.segments().segments, [])
  })

  test('of a schema that can not fill the columns are refused, each of them', () => {
    const columns = { id: 'tags', time: 'at', tenant: 'who' }
    const format = foreignFormat({ schema: SCHEMA, prefixBytes: 0, columns, fixed: {} })
    const pending = landed(
      rows.map((row) => encode(callOf(row))),
      format
    )
    assert.deepEqual(pending.segments().segments, [])
    assert.deepEqual(
      pending.quarantined().map(({ offset, code, reason }) => [offset, code, reason]),
      rows.map((row) => [row, 'E_SCHEMA_UNKNOWN', 'Avro map can not fill a column of text'])
    )
  })

  test('may change their schema from one to the next, or have none', () => {
    const other = resolveAvro({
      ...SCHEMA,
      fields: [...SCHEMA.fields, { name: 'more', type: 'int' }]
    })
    const [node, wider] = [FORMAT.schemaOf(new Uint8Array(), 0, 0), other]
    const format: MessageFormat = {
      ...FORMAT,
      prefixBytes: 1,
      schemaOf: (bytes, start) => {
        if (bytes[start] === 2) throw new Failure('E_SCHEMA_UNKNOWN', 'two')
        return bytes[start] === 0 ? node : wider
      }
    }
    const messages = rows.map((row) =>
      Buffer.concat([Buffer.of(row % 3), encode(callOf(row)), Buffer.alloc(row % 3 === 1 ? 1 : 0)])
    )
    const pending = landed(messages, format)
    assert.deepEqual(
      pending.quarantined().map(({ offset }) => offset),
      rows.filter((row) => row % 3 === 2)
    )
    assert.deepEqual(rowsOf(pending), rows.filter((row) => row % 3 !== 2).map(expected))
  })
})
