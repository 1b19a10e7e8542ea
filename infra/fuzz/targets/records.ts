import assert from 'node:assert/strict'
import { deflateRawSync, gzipSync } from 'node:zlib'
import avro from 'avsc'
import { compress } from 'snappyjs'
import { encodeEvent } from '../../../schemas/avro/encode-event.ts'
import { flattenEvent } from '../../../schemas/avro/flatten-event.ts'
import {
  foreignFormat,
  nativeFormat,
  type MessageFormat
} from '../../../services/consume/decode/messages.ts'
import { Pending } from '../../../services/consume/pending.ts'
import { runOf } from '../../../services/consume/fixtures/run-of.ts'
import { cutRun } from '../../../services/consume/run.ts'
import { BatchWriter } from '../../../services/stream/records/batch-writer.ts'
import { crc32c } from '../../../services/stream/records/crc32c.ts'
import { decompress, PLAIN_BYTES_MAX } from '../../../services/stream/records/decompress.ts'
import { BATCH, LENGTH_PREFIX_BYTES } from '../../../services/stream/records/record-batch.ts'
import { readRun } from '../../../services/stream/records/record-columns.ts'
import { hostileRecords } from '../../faults/hostile-records.ts'
import type { Target, Targets } from '../target.ts'

/** Record batches as a broker or the embedded log hands them out, down to the events in them. */

const NOW_MS = Date.parse('2026-03-02T09:00:00Z')
const OFFSET = 100

const values = (): Buffer[] => {
  const row = {
    id: 'a',
    time: new Date(NOW_MS).toISOString(),
    tenant: 'acme',
    kind: 'llm' as const
  }
  const full = { ...row, links: ['b'], tags: { a: 'b' }, tokens: { in_uncached: 5 }, scores: [0.5] }
  return [row, full].map((event) => encodeEvent(flattenEvent(event)))
}

const batchOf = (codec: 'none' | 'gzip', count: number): Buffer => {
  const writer = new BatchWriter()
  const all = values()
  for (let index = 0; index < count; index++) {
    const value = all[index % all.length]!
    writer.add({ key: 'k', value, headers: { trace: 'x' } }, Buffer.from('k'))
  }
  return Buffer.from(writer.seal({ baseOffset: OFFSET, timeMs: NOW_MS, codec, appendedHere: true }))
}

/** With the length and the checksum that its bytes have: else nothing behind them is ever read. */
const repaired = (bytes: Buffer): Buffer => {
  if (bytes.length < BATCH.records) return bytes
  const copy = Buffer.from(bytes)
  copy.writeInt32BE(copy.length - LENGTH_PREFIX_BYTES, BATCH.length)
  copy[BATCH.magic] = 2
  copy.writeUInt32BE(crc32c(copy, BATCH.attributes), BATCH.crc)
  return copy
}

/** Every record lies where the run says that it lies, and becomes an event or a quarantined one. */
const readWhole = (bytes: Buffer, isDense: boolean): void => {
  const run = readRun([bytes], { partition: 0, offset: OFFSET, isDense })
  assert.ok(run.next >= OFFSET, `the run ends at ${run.next}`)
  for (let index = 0; index < run.count; index++) {
    const offset = run.offsets[index]!
    assert.ok(offset >= OFFSET && offset < run.next, `offset ${offset} of a run to ${run.next}`)
    run.checksum(index)
    run.header(index, 'trace')
  }
  const pending = new Pending(nativeFormat())
  pending.add(cutRun(run, OFFSET, run.next), { topic: 'usage', incarnation: 'one' })
  assert.equal(pending.rows, run.count + run.faults.filter(({ first }) => first < run.next).length)
  pending.segments()
}

const batchTarget = (name: string, isDense: boolean): Target => ({
  name,
  seeds: () => [
    batchOf('none', 1),
    batchOf('none', 5),
    batchOf('gzip', 5),
    Buffer.concat([batchOf('none', 2), batchOf('gzip', 2)])
  ],
  refuses: [],
  run: (bytes) => {
    readWhole(bytes, isDense)
    readWhole(repaired(bytes), isDense)
  }
})

/**
 * Reads one record's value, alone: an event, or a row of quarantine. Columns are made once, as a
 * consumer does: their memory is most of what a record alone would cost.
 */
const readerAlone = (format: MessageFormat): ((bytes: Uint8Array) => void) => {
  const pending = new Pending(format)
  return (bytes) => {
    pending.clear()
    readAlone(bytes, pending)
  }
}

const readAlone = (bytes: Uint8Array, pending: Pending): void => {
  pending.add(runOf([bytes], NOW_MS), { topic: 'usage', incarnation: 'one' })
  assert.equal(pending.rows, 1)
  const { segments } = pending.segments()
  const rows = segments.reduce((sum, segment) => sum + segment.rows, 0)
  assert.equal(rows + pending.quarantined().length, 1)
}

const event: Target = {
  name: 'event',
  seeds: () =>
    [...values(), ...hostileRecords(NOW_MS).flatMap(({ value }) => value ?? [])].filter(
      ({ length }) => length < 4_096
    ),
  refuses: [],
  run: readerAlone(nativeFormat())
}

/** A schema of another system with every type there is: read, made to JSON, or stepped over. */
const NODE = {
  type: 'record',
  name: 'Node',
  fields: [
    { name: 'text', type: 'string' },
    { name: 'next', type: ['null', 'Node'] }
  ]
}
const FOREIGN = {
  type: 'record',
  name: 'Call',
  fields: [
    { name: 'id', type: ['bytes', 'string', { type: 'fixed', name: 'Id', size: 4 }] },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'who', type: { type: 'enum', name: 'Who', symbols: ['acme', 'zeta'] } },
    { name: 'usage', type: ['null', NODE] },
    { name: 'labels', type: { type: 'map', values: ['null', 'double', 'string'] } },
    { name: 'nulls', type: { type: 'array', items: 'null' } },
    { name: 'chain', type: ['null', 'Node'] },
    { name: 'scores', type: { type: 'array', items: 'double' } },
    { name: 'heat', type: ['float', 'null'] }
  ]
}

const foreignFields = { id: 'id', time: 'at', tenant: 'who', usage: 'usage', tags: 'labels' }
const foreign = foreignFormat({
  schema: FOREIGN,
  prefixBytes: 0,
  columns: { ...foreignFields, scores: 'scores', temperature: 'heat' },
  fixed: { kind: 'llm', source: 'gateway' }
})

const foreignEvent: Target = {
  name: 'foreign-event',
  seeds: () => {
    const type = avro.Type.forSchema(FOREIGN as avro.Schema, { wrapUnions: true })
    const node = { text: 'deep', next: { Node: { text: 'er', next: null } } }
    const call = { id: { string: 'a' }, at: NOW_MS, who: 'acme', usage: { Node: node } }
    const labels = { a: { double: 0.5 }, b: null, c: { string: 'd' } }
    const rest = {
      labels,
      nulls: [null, null],
      chain: { Node: node },
      scores: [0.5, 1],
      heat: null
    }
    const bare = { labels: {}, nulls: [], chain: null, scores: [], heat: { float: 0.5 } }
    return [type.toBuffer({ ...call, ...rest }), type.toBuffer({ ...call, usage: null, ...bare })]
  },
  refuses: [],
  run: readerAlone(foreign)
}

const PLAIN = Buffer.from('tokens in, tokens out; '.repeat(40))

/** An LZ4 frame of literals and a match that repeats them. */
const lz4 = Buffer.from('04224d186040000b00000044746f6b656e0400ff0000000000', 'hex')
const zstd = Buffer.from('28b52ffd003802040061', 'hex')

const CODECS: Readonly<Record<string, { codec: number; seeds: () => Buffer[] }>> = {
  gzip: {
    codec: 1,
    seeds: () => [gzipSync(PLAIN), Buffer.concat([gzipSync(PLAIN), deflateRawSync(PLAIN)])]
  },
  snappy: {
    codec: 2,
    seeds: () => [Buffer.from(compress(PLAIN)), framed(Buffer.from(compress(PLAIN)))]
  },
  lz4: { codec: 3, seeds: () => [lz4] },
  zstd: { codec: 4, seeds: () => [zstd] }
}

const framed = (block: Buffer): Buffer => {
  const head = Buffer.from([0x82, ...Buffer.from('SNAPPY'), 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0])
  head.writeUInt32BE(block.length, head.length - 4)
  return Buffer.concat([head, block])
}

/** Malformed input is an orderly error, and none unpacks to more than the bound. */
const codecTarget = (name: string): Target => {
  const { codec, seeds } = CODECS[name]!
  return {
    name,
    seeds,
    refuses: [],
    run: (bytes) => {
      let plain: Buffer
      try {
        plain = decompress(codec, bytes)
      } catch (error) {
        // Any error takes the batch out; one of the stack or of memory would take the process.
        assert.ok(
          error instanceof Error && !/call stack|allocation failed/i.test(error.message),
          String(error)
        )
        return
      }
      assert.ok(plain.length <= PLAIN_BYTES_MAX)
    }
  }
}

const records: Targets = () => [
  batchTarget('kafka-batches', false),
  batchTarget('embedded-batches', true),
  event,
  foreignEvent,
  ...Object.keys(CODECS).map(codecTarget)
]
export default records
