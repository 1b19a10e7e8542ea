import { Failure } from '../../../../schemas/failure.ts'
import { parseJson } from '../../json-text.ts'
import { NO_ATTRIBUTES, exactInteger, type Attributes, type AttributeValue } from './attributes.ts'
import { STATUS_ERROR, type LogRecord, type Moment, type Span } from './span.ts'

/**
 * Reads OTLP requests in JSON: ids in hexadecimal, enums as integers, 64-bit integers as decimal
 * strings or numbers, unknown fields ignored (opentelemetry-proto `docs/specification.md`,
 * "JSON Protobuf Encoding").
 */

type Json = Record<string, unknown>

/** @throws Failure E_BODY_UNREADABLE when the body is not a trace request. */
export const readJsonSpans = (bytes: Uint8Array): Span[] => {
  const spans: Span[] = []
  for (const [origin, at, item] of itemsOf(bytes, 'resourceSpans', 'scopeSpans', 'spans')) {
    spans.push(readSpan(item, origin, at))
  }
  return spans
}

/** @throws Failure E_BODY_UNREADABLE when the body is not a logs request. */
export const readJsonLogRecords = (bytes: Uint8Array): LogRecord[] => {
  const records: LogRecord[] = []
  for (const [origin, at, item] of itemsOf(bytes, 'resourceLogs', 'scopeLogs', 'logRecords')) {
    const timeNs = nanoseconds(item['timeUnixNano']) || nanoseconds(item['observedTimeUnixNano'])
    const attributes = attributesOf(item['attributes'])
    const name = textAt(item, 'eventName')
    const ids = { traceId: idAt(item, 'traceId'), spanId: idAt(item, 'spanId') }
    records.push({ ...origin, ...ids, name, timeNs, attributes, at })
  }
  return records
}

type Origin = Pick<Span, 'resource' | 'scope'>

function* itemsOf(
  bytes: Uint8Array,
  ...[outer, middle, inner]: [string, string, string]
): Generator<[Origin, string, Json]> {
  const request = objectOf(parseJson(bytes), 'the request')
  for (const [index, group] of listAt(request, outer).entries()) {
    const resource = attributesOf(objectAt(group, 'resource')['attributes'])
    for (const [place, scoped] of listAt(group, middle).entries()) {
      const scope = objectAt(scoped, 'scope')
      const origin = {
        resource,
        scope: { name: textAt(scope, 'name'), version: textAt(scope, 'version') }
      }
      for (const [position, item] of listAt(scoped, inner).entries()) {
        yield [origin, `${outer}[${index}].${middle}[${place}].${inner}[${position}]`, item]
      }
    }
  }
}

const readSpan = (item: Json, origin: Origin, at: string): Span => ({
  ...origin,
  traceId: idAt(item, 'traceId'),
  spanId: idAt(item, 'spanId'),
  parentSpanId: idAt(item, 'parentSpanId'),
  name: textAt(item, 'name'),
  startNs: nanoseconds(item['startTimeUnixNano']),
  endNs: nanoseconds(item['endTimeUnixNano']),
  attributes: attributesOf(item['attributes']),
  moments: listAt(item, 'events').map(readMoment),
  links: listAt(item, 'links').map((link) => idAt(link, 'spanId')),
  isError: isErrorCode(objectAt(item, 'status')['code']),
  at
})

/** Some emitters write the enum's name, which the specification forbids and nobody checks. */
const isErrorCode = (code: unknown): boolean =>
  code === STATUS_ERROR || code === 'STATUS_CODE_ERROR'

const readMoment = (item: Json): Moment => ({
  name: textAt(item, 'name'),
  timeNs: nanoseconds(item['timeUnixNano']),
  attributes: attributesOf(item['attributes'])
})

const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const objectOf = (value: unknown, what: string): Json => {
  if (isJson(value)) return value
  throw new Failure('E_BODY_UNREADABLE', `${what} is not a JSON object`)
}

const objectAt = (parent: Json, key: string): Json => {
  const value = parent[key]
  return isJson(value) ? value : {}
}

const listAt = (parent: Json, key: string): Json[] => {
  const value = parent[key] ?? []
  if (!Array.isArray(value)) {
    throw new Failure('E_BODY_UNREADABLE', `${key} is not a list`)
  }
  return value.map((item: unknown, index) => objectOf(item, `${key}[${index}]`))
}

const textAt = (parent: Json, key: string): string => {
  const value = parent[key]
  return typeof value === 'string' ? value : ''
}

const idAt = (parent: Json, key: string): string => textAt(parent, key).toLowerCase()

const INTEGER = /^-?\d{1,20}$/

const nanoseconds = (value: unknown): bigint => {
  if (typeof value === 'string' && INTEGER.test(value)) return BigInt(value)
  if (typeof value === 'number' && Number.isFinite(value)) return BigInt(Math.trunc(value))
  return 0n
}

const attributesOf = (list: unknown): Attributes => {
  if (!Array.isArray(list) || list.length === 0) return NO_ATTRIBUTES
  const values = new Map<string, unknown>()
  for (const entry of list as unknown[]) {
    if (isJson(entry) && typeof entry['key'] === 'string') values.set(entry['key'], entry['value'])
  }
  return {
    get: (name) => (values.has(name) ? valueOf(values.get(name)) : undefined),
    names: () => values.keys()
  }
}

const VALUE_READERS: Readonly<Record<string, (inner: unknown) => AttributeValue>> = {
  stringValue: (inner) => (typeof inner === 'string' ? inner : null),
  bytesValue: (inner) => (typeof inner === 'string' ? inner : null),
  boolValue: (inner) => (typeof inner === 'boolean' ? inner : null),
  intValue: (inner) => (typeof inner === 'string' ? exactInteger(inner) : numberValue(inner)),
  doubleValue: (inner) => numberValue(inner),
  arrayValue: (inner) => (isJson(inner) ? entriesOf(inner).map(valueOf) : []),
  kvlistValue: (inner) => (isJson(inner) ? recordOf(entriesOf(inner)) : {})
}

/** The nesting of a body is bounded before it is parsed, so recursion is too. */
const valueOf = (value: unknown): AttributeValue => {
  if (!isJson(value)) return null
  const [kind, inner] = Object.entries(value)[0] ?? ['']
  return Object.hasOwn(VALUE_READERS, kind) ? (VALUE_READERS[kind]?.(inner) ?? null) : null
}

const numberValue = (inner: unknown): number | null => {
  const value = typeof inner === 'string' ? Number(inner) : inner
  return typeof value === 'number' ? value : null
}

const entriesOf = (holder: Json): unknown[] => {
  const values = holder['values']
  return Array.isArray(values) ? values : []
}

const recordOf = (entries: unknown[]): AttributeValue =>
  Object.fromEntries(
    entries.filter(isJson).map((entry) => [textAt(entry, 'key'), valueOf(entry['value'])] as const)
  )
