import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import avro from 'avsc'
import { runOf } from '../fixtures/run-of.ts'
import { Pending } from '../pending.ts'
import { Chunk } from './chunk.ts'
import { Cursor } from './cursor.ts'
import { Dictionary, hashOf } from './dictionary.ts'
import { foreignFormat } from './messages.ts'
import { resolveAvro } from './avro-type.ts'
import { checkLabel } from './text.ts'
import { memoryOf } from './words.ts'

const APPENDED_MS = Date.parse('2026-03-01T00:00:00Z')

/** A record of another system: `more` of any type, which `usage` takes as JSON or nobody takes. */
const formatOf = (more: unknown, isUsed: boolean) => {
  const fields = [
    { name: 'id', type: 'string' },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'more', type: more }
  ]
  const schema = { type: 'record', name: 'Call', fields }
  const columns = { id: 'id', time: 'at', ...(isUsed ? { usage: 'more' } : {}) }
  const fixed = { kind: 'llm', source: 'gateway', tenant: 'acme' }
  return foreignFormat({ schema, prefixBytes: 0, columns, fixed })
}

const HEAD = avro.Type.forSchema({
  type: 'record',
  name: 'Head',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'at', type: 'long' }
  ]
}).toBuffer({ id: 'call', at: APPENDED_MS })

/** Lands records, each of the head and the given rest. @returns what is said of those refused. */
const refusals = (format: ReturnType<typeof formatOf>, rests: readonly Buffer[]): string[] => {
  const messages = rests.map((rest) => Buffer.concat([HEAD, rest]))
  const pending = new Pending(format)
  pending.add(runOf(messages, APPENDED_MS), { topic: 'calls', incarnation: 'one' })
  return pending.quarantined().map(({ offset, reason }) => `${offset} ${reason}`)
}

describe('values of other systems', () => {
  test('that are cut within leave those behind them as they are', () => {
    const format = formatOf({ type: 'map', values: 'string' }, false)
    const cut = Buffer.from([2, 4, 0x61])
    const whole = Buffer.from([2, 2, 0x61, 2, 0x62, 0])
    const said = refusals(format, [...Array.from({ length: 100 }, () => cut), whole])
    assert.equal(said.length, 100)
    for (const line of said)
      assert.match(line, /^\d+ more: a value claims 2 bytes where 1 are left/)
  })

  test('nest to a bound, stepped over or read, and beyond it are refused', () => {
    const node = {
      type: 'record',
      name: 'Node',
      fields: [{ name: 'next', type: ['null', 'Node'] }]
    }
    for (const isUsed of [false, true]) {
      const format = formatOf(node, isUsed)
      const chain = (length: number): Buffer =>
        Buffer.concat([Buffer.alloc(length, 2), Buffer.of(0)])
      assert.deepEqual(refusals(format, [chain(10)]), [])
      const said = refusals(format, [chain(70), chain(1_000), chain(20_000), chain(10)])
      assert.equal(said.length, 3)
      for (const line of said) assert.match(line, /values nest deeper than/)
    }
  })

  test('that are no text are refused where JSON is made of them', () => {
    const inner = { type: 'record', name: 'Inner', fields: [{ name: 's', type: 'string' }] }
    const said = refusals(formatOf(inner, true), [Buffer.from([2, 0xff]), Buffer.from([2, 0x61])])
    assert.deepEqual(said, ['0 more: a string is not UTF-8'])
  })

  test('in lists without bytes are no more than the record has bytes', () => {
    const format = formatOf({ type: 'array', items: 'null' }, false)
    const block = Buffer.from([0x80, 0x10])
    const said = refusals(format, [
      Buffer.concat([block, Buffer.of(0)]),
      Buffer.concat([...Array.from({ length: 1_000 }, () => block), Buffer.of(0)])
    ])
    assert.equal(said.length, 1)
    assert.match(said[0]!, /^1 more: a list claims \d+ items/)
  })
})

test('a union of one type twice, or of unions, is no schema', () => {
  const list = { type: 'array', items: 'string' }
  for (const union of [
    [list, list],
    ['long', { type: 'long', logicalType: 'timestamp-millis' }],
    [['null']]
  ]) {
    assert.throws(() => resolveAvro(union), { code: 'E_SCHEMA_UNKNOWN' })
  }
  const fixed = (name: string) => ({ type: 'fixed', name, size: 1 })
  assert.equal(resolveAvro(['null', 'string', fixed('a'), fixed('b')]).kind, 'union')
})

/** Varints of one to eleven bytes, all but the last of which say that more follow. */
const VARINTS = Array.from({ length: 11 }, (_, idle) => idle).flatMap((idle) =>
  [0, 1, 2, 0x3f, 0x7f, 0x80].flatMap((last) =>
    [0x80, 0x81, 0xff].map((fill) => [...Array.from({ length: idle }, () => fill), last])
  )
)

const outcomeOf = (read: () => number): string => {
  try {
    return String(read())
  } catch (error) {
    return String(error)
  }
}

test('a chunk reads integers as a cursor does, however many bytes they take', () => {
  const chunk = new Chunk()
  const cursor = new Cursor()
  for (const varint of VARINTS) {
    const bytes = new Uint8Array([...varint, 7])
    chunk.attach(bytes)
    chunk.at[0] = 0
    chunk.ends[0] = varint.length
    cursor.attach(bytes)
    cursor.frame(0, varint.length)
    const own = outcomeOf(() => chunk.readLong(0))
    assert.equal(
      own,
      outcomeOf(() => cursor.readLong()),
      String(varint)
    )
    if (!own.includes('Failure')) assert.equal(chunk.at[0], cursor.at)
  }
})

/** Labels of twelve letters with one hash: the last four undo what the first eight did. */
const collidingLabels = (count: number): Buffer[] => {
  const found: Buffer[] = []
  const target = hashOf(memoryOf(Buffer.from('aaaaaaaaaaaa')), 0, 12)
  for (let number = 0; found.length < count; number++) {
    const label = Buffer.from(`${number.toString(36).padStart(8, '-')}0000`)
    const memory = memoryOf(label)
    for (const last of lastWords(memory, target)) {
      label.writeInt32LE(last, 8)
      if (hashOf(memory, 0, 12) === target) found.push(Buffer.from(label))
    }
  }
  return found
}

/** The inverse of the multiplier that the last step uses, modulo 2^32. */
const INVERSE = 0xa5cb9243

const lastWords = (memory: ReturnType<typeof memoryOf>, target: number): number[] => {
  let hash = 12
  for (const at of [0, 4]) hash = Math.imul(hash ^ memory.view.getInt32(at, true), 0x9e3779b1)
  // What the hash ends with, undone: x ^ (x >>> 15).
  const product = target ^ (target >>> 15) ^ (target >>> 30)
  const last = Math.imul(product, INVERSE) ^ hash ^ (hash >>> 15)
  const bytes = [0, 8, 16, 24].map((shift) => (last >>> shift) & 255)
  return bytes.every((byte) => byte > 0x20 && byte < 0x7f) ? [last] : []
}

test('labels that were made to share a hash are not searched for without end', () => {
  const dictionary = new Dictionary(checkLabel, true)
  const labels = collidingLabels(400)
  assert.equal(new Set(labels.map(String)).size, 400)
  const codes = labels.map((label) => dictionary.code(memoryOf(label), 0, 12))
  labels.forEach((label, at) =>
    assert.deepEqual(Buffer.from(dictionary.bytesOf(codes[at]!)), label)
  )
  // Found no more: a search that went through all of them would have found the first again.
  assert.equal(dictionary.code(memoryOf(labels[0]!), 0, 12), 400)
})
