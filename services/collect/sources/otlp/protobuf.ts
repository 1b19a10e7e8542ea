import { Failure } from '../../../../schemas/failure.ts'
import { NO_ATTRIBUTES, exactInteger, type Attributes, type AttributeValue } from './attributes.ts'
import { STATUS_ERROR, type LogRecord, type Moment, type Span } from './span.ts'
import { tagOf, Wire } from './wire.ts'

/**
 * Reads OTLP requests in protobuf by field number (opentelemetry-proto 1.x, `trace.proto`,
 * `logs.proto`, `common.proto`). Fields that a meter does not need are skipped, and attribute
 * values, among them whole conversations, are decoded only when asked for: no generated code,
 * which would build all of it first.
 */

/** What each field that we know of a message does, by its tag. */
type Fields<Target> = Readonly<Record<number, (target: Target, wire: Wire) => void>>

/** Values nest (arrays of maps); deeper than this is an attack. */
const VALUE_DEPTH_MAX = 32

/**
 * Nested messages that one reading may make: two bytes of an empty span become hundreds on the
 * heap, and a body of 64 MiB holds 32 million of them. Enough for 20 k spans of 40 attributes.
 */
const MESSAGES_MAX = 1_000_000

/** @throws Failure E_BODY_UNREADABLE when the bytes are not this message. */
export const readSpans = (bytes: Uint8Array): Span[] =>
  guarded('ExportTraceServiceRequest', () => {
    const wire = new Wire(bytes, MESSAGES_MAX)
    const spans: Span[] = []
    for (const [group, at] of groupsOf(wire, 'resourceSpans')) {
      for (const [origin, items, scopeAt] of scopesOf(wire, group, `${at}.scopeSpans`)) {
        for (const [index, mark] of items.entries()) {
          wire.enterAt(mark)
          spans.push(readSpan(wire, origin, `${scopeAt}.spans[${index}]`))
        }
      }
    }
    return spans
  })

/** @throws Failure E_BODY_UNREADABLE when the bytes are not this message. */
export const readLogRecords = (bytes: Uint8Array): LogRecord[] =>
  guarded('ExportLogsServiceRequest', () => {
    const wire = new Wire(bytes, MESSAGES_MAX)
    const records: LogRecord[] = []
    for (const [group, at] of groupsOf(wire, 'resourceLogs')) {
      for (const [origin, items, scopeAt] of scopesOf(wire, group, `${at}.scopeLogs`)) {
        for (const [index, mark] of items.entries()) {
          wire.enterAt(mark)
          records.push(readLog(wire, origin, `${scopeAt}.logRecords[${index}]`))
        }
      }
    }
    return records
  })

const guarded = <T>(message: string, read: () => T): T => {
  try {
    return read()
  } catch (error) {
    if (error instanceof Failure) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new Failure('E_BODY_UNREADABLE', `not a protobuf ${message}: ${reason}`)
  }
}

/** Reads the rest of the message that was entered. */
const readFields = <Target>(wire: Wire, fields: Fields<Target>, target: Target): Target => {
  for (let tag = wire.next(); tag !== 0; tag = wire.next()) {
    const read = fields[tag]
    if (read === undefined) wire.skip(tag)
    else read(target, wire)
  }
  return target
}

/** Reads the message that comes next. */
const readMessage = <Target>(wire: Wire, fields: Fields<Target>, target: Target): Target => {
  const outerEnd = wire.enter()
  readFields(wire, fields, target)
  wire.leave(outerEnd)
  return target
}

const { fixed64, part, varint } = tagOf

type Origin = Pick<Span, 'resource' | 'scope'>

/** Fields may come in any order, so that what is inside is read when all that is around it is. */
const REQUEST: Fields<number[]> = { [part(1)]: (groups, wire) => groups.push(wire.mark()) }

const groupsOf = (wire: Wire, name: string): [number, string][] =>
  readFields(wire, REQUEST, []).map((mark, index) => [mark, `${name}[${index}]`])

const RESOURCE: Fields<LazyAttributes> = { [part(1)]: (attributes) => attributes.add() }

const GROUP: Fields<{ resource: Attributes; scopes: number[] }> = {
  [part(1)]: (group, wire) => {
    group.resource = readMessage(wire, RESOURCE, new LazyAttributes(wire))
  },
  [part(2)]: (group, wire) => group.scopes.push(wire.mark())
}

const SCOPE_NAME: Fields<Span['scope']> = {
  [part(1)]: (scope, wire) => (scope.name = wire.text()),
  [part(2)]: (scope, wire) => (scope.version = wire.text())
}

const SCOPE: Fields<{ scope: Span['scope']; items: number[] }> = {
  [part(1)]: ({ scope }, wire) => void readMessage(wire, SCOPE_NAME, scope),
  [part(2)]: ({ items }, wire) => items.push(wire.mark())
}

const scopesOf = (wire: Wire, mark: number, name: string): [Origin, number[], string][] => {
  wire.enterAt(mark)
  const { resource, scopes } = readFields(wire, GROUP, {
    resource: NO_ATTRIBUTES,
    scopes: []
  })
  return scopes.map((scopeMark, index) => {
    wire.enterAt(scopeMark)
    const { scope, items } = readFields(wire, SCOPE, {
      scope: { name: '', version: '' },
      items: []
    })
    return [{ resource, scope }, items, `${name}[${index}]`]
  })
}

type Wired<Item> = Item & { attributes: LazyAttributes }

const LINK: Fields<string[]> = { [part(2)]: (links, wire) => links.push(wire.hex()) }

const STATUS: Fields<Span> = {
  [varint(3)]: (span, wire) => (span.isError = wire.int32() === STATUS_ERROR)
}

const SPAN: Fields<Wired<Span>> = {
  [part(1)]: (span, wire) => (span.traceId = wire.hex()),
  [part(2)]: (span, wire) => (span.spanId = wire.hex()),
  [part(4)]: (span, wire) => (span.parentSpanId = wire.hex()),
  [part(5)]: (span, wire) => (span.name = wire.text()),
  [fixed64(7)]: (span, wire) => (span.startNs = wire.fixed64()),
  [fixed64(8)]: (span, wire) => (span.endNs = wire.fixed64()),
  [part(9)]: ({ attributes }) => attributes.add(),
  [part(11)]: ({ moments }, wire) => moments.push(readMoment(wire)),
  [part(13)]: ({ links }, wire) => void readMessage(wire, LINK, links),
  [part(15)]: (span, wire) => void readMessage(wire, STATUS, span)
}

const readSpan = (wire: Wire, { resource, scope }: Origin, at: string): Span =>
  readFields(wire, SPAN, {
    resource,
    scope,
    traceId: '',
    spanId: '',
    parentSpanId: '',
    name: '',
    startNs: 0n,
    endNs: 0n,
    attributes: new LazyAttributes(wire),
    moments: [],
    links: [],
    isError: false,
    at
  })

const MOMENT: Fields<Wired<Moment>> = {
  [fixed64(1)]: (moment, wire) => (moment.timeNs = wire.fixed64()),
  [part(2)]: (moment, wire) => (moment.name = wire.text()),
  [part(3)]: ({ attributes }) => attributes.add()
}

const readMoment = (wire: Wire): Moment =>
  readMessage(wire, MOMENT, { name: '', timeNs: 0n, attributes: new LazyAttributes(wire) })

const LOG: Fields<Wired<LogRecord> & { observedNs: bigint }> = {
  [fixed64(1)]: (record, wire) => (record.timeNs = wire.fixed64()),
  [part(6)]: ({ attributes }) => attributes.add(),
  [part(9)]: (record, wire) => (record.traceId = wire.hex()),
  [part(10)]: (record, wire) => (record.spanId = wire.hex()),
  [fixed64(11)]: (record, wire) => (record.observedNs = wire.fixed64()),
  [part(12)]: (record, wire) => (record.name = wire.text())
}

const readLog = (wire: Wire, origin: Origin, at: string): LogRecord => {
  const { observedNs, ...record } = readFields(wire, LOG, {
    ...origin,
    traceId: '',
    spanId: '',
    name: '',
    timeNs: 0n,
    observedNs: 0n,
    attributes: new LazyAttributes(wire),
    at
  })
  return record.timeNs === 0n ? { ...record, timeNs: observedNs } : record
}

type KeyValue = { key: string; mark: number | null }

const KEY_VALUE: Fields<KeyValue> = {
  [part(1)]: (entry, wire) => (entry.key = wire.text()),
  [part(2)]: (entry, wire) => (entry.mark = wire.mark())
}

/** Attributes by where their values stand in the request. */
class LazyAttributes implements Attributes {
  readonly #wire: Wire
  readonly #marks = new Map<string, number | null>()

  constructor(wire: Wire) {
    this.#wire = wire
  }

  /** Adds the one that comes next. */
  add(): void {
    const { key, mark } = readMessage(this.#wire, KEY_VALUE, { key: '', mark: null })
    this.#marks.set(key, mark)
  }

  get(name: string): AttributeValue | undefined {
    const mark = this.#marks.get(name)
    return typeof mark === 'number' ? guarded('AnyValue', () => this.#valueAt(mark)) : mark
  }

  names(): Iterable<string> {
    return this.#marks.keys()
  }

  #valueAt(mark: number): AttributeValue {
    this.#wire.allow(MESSAGES_MAX)
    this.#wire.enterAt(mark)
    return readFields(this.#wire, VALUE, { value: null, depth: 0 }).value
  }
}

type Value = { value: AttributeValue; depth: number }

const VALUE: Fields<Value> = {
  [part(1)]: (holder, wire) => (holder.value = wire.text()),
  [varint(2)]: (holder, wire) => (holder.value = wire.int32() !== 0),
  [varint(3)]: (holder, wire) => (holder.value = integerOf(wire.int64())),
  [fixed64(4)]: (holder, wire) => (holder.value = wire.double()),
  [part(5)]: (holder, wire) => {
    holder.value = readMessage(wire, LIST, { values: [], depth: holder.depth }).values
  },
  [part(6)]: (holder, wire) => {
    const { entries } = readMessage(wire, MAP, { entries: [], depth: holder.depth })
    holder.value = Object.fromEntries(entries)
  },
  [part(7)]: (holder, wire) => (holder.value = wire.base64())
}

const integerOf = (value: number | bigint): number | string =>
  typeof value === 'number' ? value : exactInteger(value.toString())

const readValue = (wire: Wire, depth: number): AttributeValue => {
  if (depth > VALUE_DEPTH_MAX) throw new RangeError('an attribute nests too deeply')
  return readMessage(wire, VALUE, { value: null, depth }).value
}

const LIST: Fields<{ values: AttributeValue[]; depth: number }> = {
  [part(1)]: ({ values, depth }, wire) => values.push(readValue(wire, depth + 1))
}

const MAP: Fields<{ entries: [string, AttributeValue][]; depth: number }> = {
  [part(1)]: ({ entries, depth }, wire) => {
    const entry = readMessage(wire, ENTRY, { key: '', value: null, depth })
    entries.push([entry.key, entry.value])
  }
}

const ENTRY: Fields<Value & { key: string }> = {
  [part(1)]: (entry, wire) => (entry.key = wire.text()),
  [part(2)]: (entry, wire) => (entry.value = readValue(wire, entry.depth + 1))
}
