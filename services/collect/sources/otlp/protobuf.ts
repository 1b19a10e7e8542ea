import protobuf from 'protobufjs/minimal.js'
import { Failure } from '../../../../schemas/failure.ts'
import { NO_ATTRIBUTES, exactInteger, type Attributes, type AttributeValue } from './attributes.ts'
import { STATUS_ERROR, type LogRecord, type Moment, type Span } from './span.ts'

/**
 * Reads OTLP requests in protobuf by field number (opentelemetry-proto 1.x, `trace.proto`,
 * `logs.proto`, `common.proto`). Fields that a meter does not need are skipped, and attribute
 * values, among them whole conversations, are decoded only when asked for: no generated code,
 * which would build all of it first.
 */

type Reader = protobuf.Reader
type Fields = Readonly<Record<number, (reader: Reader) => void>>

/** Values nest (arrays of maps); deeper than this is an attack. */
const VALUE_DEPTH_MAX = 32

/** @throws Failure E_BODY_UNREADABLE when the bytes are not this message. */
export const readSpans = (bytes: Uint8Array): Span[] =>
  guarded('ExportTraceServiceRequest', () => {
    const spans: Span[] = []
    let position = 0
    readFields(bytes, {
      1: (reader) => readResourceSpans(reader.bytes(), `resourceSpans[${position++}]`, spans)
    })
    return spans
  })

/** @throws Failure E_BODY_UNREADABLE when the bytes are not this message. */
export const readLogRecords = (bytes: Uint8Array): LogRecord[] =>
  guarded('ExportLogsServiceRequest', () => {
    const records: LogRecord[] = []
    let position = 0
    readFields(bytes, {
      1: (reader) => readResourceLogs(reader.bytes(), `resourceLogs[${position++}]`, records)
    })
    return records
  })

/**
 * Nested messages that one reading may make: two bytes of an empty span become hundreds on the
 * heap, and a body of 64 MiB holds 32 million of them. Enough for 20 k spans of 40 attributes.
 */
const MESSAGES_MAX = 1_000_000
let messagesLeft = MESSAGES_MAX

const guarded = <T>(message: string, read: () => T): T => {
  messagesLeft = MESSAGES_MAX
  try {
    return read()
  } catch (error) {
    if (error instanceof Failure) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new Failure('E_BODY_UNREADABLE', `not a protobuf ${message}: ${reason}`)
  }
}

const WIRE_TYPE_BITS = 3
const WIRE_TYPE_MASK = 7

const readFields = (bytes: Uint8Array, fields: Fields): void => {
  if (--messagesLeft < 0) throw new RangeError(`it holds more than ${MESSAGES_MAX} messages`)
  const reader = protobuf.Reader.create(bytes)
  while (reader.pos < reader.len) {
    const tag = reader.tag()
    const field = tag >>> WIRE_TYPE_BITS
    const read = fields[field]
    if (read === undefined) reader.skipType(tag & WIRE_TYPE_MASK, 0, field)
    else read(reader)
  }
  if (reader.pos > reader.len) throw new RangeError('the message is cut off')
}

type Origin = Pick<Span, 'resource' | 'scope'>

const readResourceSpans = (bytes: Uint8Array, at: string, spans: Span[]): void => {
  const scopes: Uint8Array[] = []
  let resource = NO_ATTRIBUTES
  readFields(bytes, {
    1: (reader) => (resource = readResource(reader.bytes())),
    2: (reader) => scopes.push(reader.bytes())
  })
  for (const [index, scope] of scopes.entries()) {
    const [origin, items] = readScope(scope, resource)
    for (const [position, item] of items.entries()) {
      spans.push(readSpan(item, origin, `${at}.scopeSpans[${index}].spans[${position}]`))
    }
  }
}

const readResourceLogs = (bytes: Uint8Array, at: string, records: LogRecord[]): void => {
  const scopes: Uint8Array[] = []
  let resource = NO_ATTRIBUTES
  readFields(bytes, {
    1: (reader) => (resource = readResource(reader.bytes())),
    2: (reader) => scopes.push(reader.bytes())
  })
  for (const [index, scope] of scopes.entries()) {
    const [origin, items] = readScope(scope, resource)
    for (const [position, item] of items.entries()) {
      records.push(readLog(item, origin, `${at}.scopeLogs[${index}].logRecords[${position}]`))
    }
  }
}

const readResource = (bytes: Uint8Array): Attributes => {
  const values = new LazyAttributes()
  readFields(bytes, { 1: (reader) => values.add(reader.bytes()) })
  return values
}

const readScope = (bytes: Uint8Array, resource: Attributes): [Origin, Uint8Array[]] => {
  const items: Uint8Array[] = []
  const scope = { name: '', version: '' }
  readFields(bytes, {
    1: (reader) =>
      readFields(reader.bytes(), {
        1: (inner) => (scope.name = inner.string()),
        2: (inner) => (scope.version = inner.string())
      }),
    2: (reader) => items.push(reader.bytes())
  })
  return [{ resource, scope }, items]
}

const readSpan = (bytes: Uint8Array, origin: Origin, at: string): Span => {
  const attributes = new LazyAttributes()
  const span: Span = {
    ...origin,
    traceId: '',
    spanId: '',
    parentSpanId: '',
    name: '',
    startNs: 0n,
    endNs: 0n,
    attributes,
    moments: [],
    links: [],
    isError: false,
    at
  }
  readFields(bytes, {
    1: (reader) => (span.traceId = hex(reader.bytes())),
    2: (reader) => (span.spanId = hex(reader.bytes())),
    4: (reader) => (span.parentSpanId = hex(reader.bytes())),
    5: (reader) => (span.name = reader.string()),
    7: (reader) => (span.startNs = fixed64(reader)),
    8: (reader) => (span.endNs = fixed64(reader)),
    9: (reader) => attributes.add(reader.bytes()),
    11: (reader) => span.moments.push(readMoment(reader.bytes())),
    13: (reader) => readLink(reader.bytes(), span.links),
    15: (reader) => (span.isError = readStatus(reader.bytes()) === STATUS_ERROR)
  })
  return span
}

const readMoment = (bytes: Uint8Array): Moment => {
  const attributes = new LazyAttributes()
  const moment: Moment = { name: '', timeNs: 0n, attributes }
  readFields(bytes, {
    1: (reader) => (moment.timeNs = fixed64(reader)),
    2: (reader) => (moment.name = reader.string()),
    3: (reader) => attributes.add(reader.bytes())
  })
  return moment
}

const readLink = (bytes: Uint8Array, links: string[]): void =>
  readFields(bytes, { 2: (reader) => links.push(hex(reader.bytes())) })

const readStatus = (bytes: Uint8Array): number => {
  let code = 0
  readFields(bytes, { 3: (reader) => (code = reader.int32()) })
  return code
}

const readLog = (bytes: Uint8Array, origin: Origin, at: string): LogRecord => {
  const attributes = new LazyAttributes()
  let observedNs = 0n
  const record: LogRecord = {
    ...origin,
    traceId: '',
    spanId: '',
    name: '',
    timeNs: 0n,
    attributes,
    at
  }
  readFields(bytes, {
    1: (reader) => (record.timeNs = fixed64(reader)),
    6: (reader) => attributes.add(reader.bytes()),
    9: (reader) => (record.traceId = hex(reader.bytes())),
    10: (reader) => (record.spanId = hex(reader.bytes())),
    11: (reader) => (observedNs = fixed64(reader)),
    12: (reader) => (record.name = reader.string())
  })
  if (record.timeNs === 0n) record.timeNs = observedNs
  return record
}

const hex = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')

const fixed64 = (reader: Reader): bigint => {
  const low = reader.fixed32()
  return (BigInt(reader.fixed32()) << 32n) | BigInt(low)
}

class LazyAttributes implements Attributes {
  readonly #values = new Map<string, Uint8Array>()

  add(keyValue: Uint8Array): void {
    let key = ''
    let value: Uint8Array = new Uint8Array(0)
    readFields(keyValue, {
      1: (reader) => (key = reader.string()),
      2: (reader) => (value = reader.bytes())
    })
    this.#values.set(key, value)
  }

  get(name: string): AttributeValue | undefined {
    const bytes = this.#values.get(name)
    return bytes === undefined ? undefined : guarded('AnyValue', () => readValue(bytes, 0))
  }

  names(): Iterable<string> {
    return this.#values.keys()
  }
}

const readValue = (bytes: Uint8Array, depth: number): AttributeValue => {
  if (depth > VALUE_DEPTH_MAX) throw new RangeError('an attribute nests too deeply')
  let value: AttributeValue = null
  readFields(bytes, {
    1: (reader) => (value = reader.string()),
    2: (reader) => (value = reader.bool()),
    3: (reader) => (value = exactInteger(BigInt.asIntN(64, varint64(reader)).toString())),
    4: (reader) => (value = reader.double()),
    5: (reader) => (value = readList(reader.bytes(), depth)),
    6: (reader) => (value = readMap(reader.bytes(), depth)),
    7: (reader) => (value = Buffer.from(reader.bytes()).toString('base64'))
  })
  return value
}

const readList = (bytes: Uint8Array, depth: number): AttributeValue[] => {
  const values: AttributeValue[] = []
  readFields(bytes, { 1: (reader) => values.push(readValue(reader.bytes(), depth + 1)) })
  return values
}

const readMap = (bytes: Uint8Array, depth: number): AttributeValue => {
  const entries: [string, AttributeValue][] = []
  const addEntry = (keyValue: Uint8Array): void => {
    let key = ''
    let value: AttributeValue = null
    readFields(keyValue, {
      1: (reader) => (key = reader.string()),
      2: (reader) => (value = readValue(reader.bytes(), depth + 1))
    })
    entries.push([key, value])
  }
  readFields(bytes, { 1: (reader) => addEntry(reader.bytes()) })
  return Object.fromEntries(entries)
}

/** Bits of a varint's byte that carry value, and how many bytes 64 bits can take. */
const VARINT_BITS = 7n
const VARINT_BYTES_MAX = 10

const varint64 = (reader: Reader): bigint => {
  let value = 0n
  for (let index = 0; index < VARINT_BYTES_MAX; index++) {
    const byte = reader.buf[reader.pos++]
    if (byte === undefined || reader.pos > reader.len) throw new RangeError('a varint is cut off')
    value |= BigInt(byte & 0x7f) << (VARINT_BITS * BigInt(index))
    if (byte < 0x80) return value
  }
  throw new RangeError('a varint is too long')
}
