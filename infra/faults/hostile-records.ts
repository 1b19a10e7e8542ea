import { gzipSync } from 'node:zlib'
import { EVENT_SCHEMA } from '../../schemas/avro/event-schema.ts'
import { encodeEvent } from '../../schemas/avro/encode-event.ts'
import { messagePrefix, PREFIX_BYTES } from '../../schemas/avro/fingerprint.ts'
import { flattenEvent, type EventRow } from '../../schemas/avro/flatten-event.ts'
import type { FailureCode } from '../../schemas/failure.ts'
import { crc32c } from '../../services/stream/records/crc32c.ts'
import { BatchWriter } from '../../services/stream/records/batch-writer.ts'
import { BATCH, LENGTH_PREFIX_BYTES } from '../../services/stream/records/record-batch.ts'

/** A record that must become one row of `quarantine`, with the code that it gets there. */
export type Hostile = {
  name: string
  value: Buffer | null
  code: FailureCode
  /** What the reason must speak of. */
  reason: RegExp
}

const HOUR_US = 3_600_000_000
const YEAR_US = 365 * 24 * HOUR_US

/** A good event, as a row that a case may spoil. */
const goodRow = (nowMs: number): EventRow =>
  flattenEvent({
    id: 'hostile',
    time: new Date(nowMs).toISOString(),
    tenant: 'TENANT-MARK',
    kind: 'llm',
    links: ['LINK-MARK'],
    tokens: { in_uncached: TOKENS_MARK }
  })

/** A count whose bytes are found again in a message. */
const TOKENS_MARK = 1_234_567_890

/** Avro's zigzag varint, of any width. */
const varint = (value: bigint): Buffer => {
  const bytes: number[] = []
  let rest = value >= 0n ? value * 2n : value * -2n - 1n
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return Buffer.from([...bytes, Number(rest)])
}

/** A message with some bytes in place of others. */
const spliced = (value: Buffer, found: Buffer, put: Buffer): Buffer => {
  const at = value.indexOf(found)
  return Buffer.concat([value.subarray(0, at), put, value.subarray(at + found.length)])
}

/** Every kind of bad record, for a log whose clock stands at `nowMs`. */
export const hostileRecords = (nowMs: number): Hostile[] => {
  const row = goodRow(nowMs)
  const good = encodeEvent(row)
  return [
    ...cutRecords(good),
    ...foreignRecords(good),
    ...wrongValues(row, nowMs),
    ...wrongBytes(good),
    ...wrongTenants(row, good)
  ]
}

const UNREADABLE = 'E_RECORD_UNREADABLE'

const cutRecords = (good: Buffer): Hostile[] =>
  [PREFIX_BYTES, PREFIX_BYTES + 1, good.length >> 1, good.length - 1].map((length) => ({
    name: `cut off after ${length} bytes`,
    value: good.subarray(0, length),
    code: UNREADABLE,
    reason: /ends within|bytes where/
  }))

const foreignRecords = (good: Buffer): Hostile[] => {
  const unknown = Buffer.from(good)
  unknown.writeBigUInt64LE(0x0123_4567_89ab_cdefn, 2)
  const prefix = messagePrefix(EVENT_SCHEMA)
  const garbage = Buffer.concat([prefix, Buffer.alloc(300, 0xfb)])
  const junk = Buffer.alloc(990_000, 'junk')
  const large = Buffer.concat([good, Buffer.alloc(990_000)])
  return [
    { name: 'a null value', value: null, code: UNREADABLE, reason: /null/ },
    { name: 'an empty value', value: Buffer.alloc(0), code: UNREADABLE, reason: /0 bytes/ },
    { name: 'a megabyte of junk', value: junk, code: UNREADABLE, reason: /begins with/ },
    {
      name: 'an event of a megabyte',
      value: large,
      code: 'E_EVENT_INVALID',
      reason: /990\d+ bytes/
    },
    { name: 'an unknown schema', value: unknown, code: 'E_SCHEMA_UNKNOWN', reason: /efcdab89/ },
    { name: 'garbage behind our prefix', value: garbage, code: UNREADABLE, reason: /id: / }
  ]
}

const wrongValues = (row: EventRow, nowMs: number): Hostile[] => {
  const nowUs = nowMs * 1000
  const change = (name: string, more: EventRow, code: FailureCode, reason: RegExp): Hostile => ({
    name,
    value: encodeEvent({ ...row, ...more }),
    code,
    reason
  })
  return [
    change('a time in 1970', { time: 1000 }, 'E_EVENT_TIME', /before 2020/),
    change('ten years ahead', { time: nowUs + 10 * YEAR_US }, 'E_EVENT_TIME', /over a day/),
    change('25 hours ahead', { time: nowUs + 25 * HOUR_US }, 'E_EVENT_TIME', /over a day/),
    change('negative tokens', { in_uncached: -5 }, 'E_EVENT_INVALID', /in_uncached: -5/),
    change('an unknown kind', { kind: 'teapot' }, 'E_EVENT_INVALID', /teapot/),
    change('a score that is no number', { scores: [NaN] }, 'E_EVENT_INVALID', /scores: NaN/)
  ]
}

const wrongBytes = (good: Buffer): Hostile[] => {
  const tokens = varint(BigInt(TOKENS_MARK))
  const link = Buffer.concat([varint(1n), varint(9n), Buffer.from('LINK-MARK')])
  const many = Buffer.concat([varint(10n ** 12n), varint(9n), Buffer.from('LINK-MARK')])
  return [
    {
      name: '2^53 + 1 tokens',
      value: spliced(good, tokens, varint(2n ** 53n + 1n)),
      code: UNREADABLE,
      reason: /in_uncached: .*beyond/
    },
    {
      name: 'a list of 10^12 items',
      value: spliced(good, link, many),
      code: UNREADABLE,
      reason: /links: .*list/
    },
    {
      name: 'bytes behind its end',
      value: Buffer.concat([good, Buffer.from('more')]),
      code: UNREADABLE,
      reason: /4 bytes too many/
    }
  ]
}

const wrongTenants = (row: EventRow, good: Buffer): Hostile[] => {
  const texts = ['a\u0000b', 'a\nb', 'a\u202Eb', 'a\u2066b', '\u200Bhidden', '', 'x'.repeat(2_000)]
  const mark = Buffer.from('TENANT-MARK')
  const bytes = { 'a lone surrogate': 'eda080', 'an overlong slash': 'c0af', 'a stray byte': 'ff' }
  return [
    ...texts.map((tenant): Hostile => ({
      name: `the tenant ${JSON.stringify(tenant.slice(0, 10))}`,
      value: encodeEvent({ ...row, tenant }),
      code: UNREADABLE,
      reason: /tenant: /
    })),
    ...Object.entries(bytes).map(([name, hex]): Hostile => {
      const put = Buffer.concat([Buffer.from(hex, 'hex'), mark]).subarray(0, mark.length)
      return { name, value: spliced(good, mark, put), code: UNREADABLE, reason: /tenant: .*UTF-8/ }
    })
  ]
}

/** Bytes of zeros that one member of the bomb unpacks to. */
const MEMBER_BYTES = 16 * 1024 * 1024

/**
 * A sealed batch of one record whose gzip block unpacks to `plainBytes`, in less than a megabyte:
 * one member of gzip after the other, which readers take for one stream.
 */
export const gzipBomb = (plainBytes: number): Buffer => {
  const writer = new BatchWriter()
  writer.add({ key: 'bomb', value: null }, Buffer.from('bomb'))
  const header = writer.seal({ baseOffset: 0, timeMs: Date.now() }).subarray(0, BATCH.records)
  const members = Math.ceil(plainBytes / MEMBER_BYTES)
  const value = BigInt(members * MEMBER_BYTES)
  // Attributes, time and offset deltas, no key; then the value, and no headers behind it.
  const frame = Buffer.concat([Buffer.from([0, 0, 0, 1]), varint(value)])
  const start = Buffer.concat([varint(BigInt(frame.length) + value + 1n), frame])
  const zeros = gzipSync(Buffer.alloc(MEMBER_BYTES), { level: 9 })
  const parts = Array.from({ length: members }, () => zeros)
  const batch = Buffer.concat([header, gzipSync(start), ...parts, gzipSync(Buffer.from([0]))])
  batch.writeInt32BE(batch.length - LENGTH_PREFIX_BYTES, BATCH.length)
  batch.writeInt16BE(1, BATCH.attributes)
  batch.writeUInt32BE(crc32c(batch, BATCH.attributes), BATCH.crc)
  return batch
}
