import { EVENT_FIELDS } from '../../../../schemas/event-fields.ts'
import { isKind } from '../../check-event.ts'
import { faultAt, type Fault } from '../../fault.ts'
import { parseJson } from '../../json-text.ts'
import { isJsonObject, textIn, valueIn, type JsonObject } from '../../json-value.ts'
import { jsonItems, type JsonItem } from '../json-items.ts'
import { defineSource, type Item, type Message, type Reading } from '../source.ts'

/**
 * CloudEvents 1.0 around native events: structured and batch mode in JSON, and binary mode with
 * the attributes in headers, `ce-` over HTTP and `ce_` in Kafka (cloudevents/spec `cloudevents.md`,
 * `http-protocol-binding.md`, `kafka-protocol-binding.md`).
 */

const TENANT_SUBJECT = /^tenant\/(.+)$/
const TRACEPARENT = /^[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-[\da-f]{2}$/

/** Attributes that headers carry in binary mode; null when the message is not in it. */
const headerAttributes = ({ headers }: Message): JsonObject | null => {
  const entries = Object.entries(headers).flatMap(([name, value]) => {
    const key = /^ce[-_](.+)$/.exec(name)?.[1]
    return key === undefined ? [] : [[key, value] as const]
  })
  return entries.length === 0 ? null : Object.fromEntries(entries)
}

const dataOf = (envelope: JsonObject): unknown => {
  const base64 = envelope['data_base64']
  return typeof base64 === 'string'
    ? parseJson(Buffer.from(base64, 'base64'))
    : valueIn(envelope, 'data')
}

/** What the envelope says where the event itself does not. */
const eventOf = (envelope: JsonObject, data: JsonObject): JsonObject => {
  const type = textIn(envelope, 'type')?.split('.')[0] ?? ''
  const trace = TRACEPARENT.exec(textIn(envelope, 'traceparent') ?? '')
  const defaults: [string, unknown][] = [
    ['id', textIn(envelope, 'id')],
    ['source', textIn(envelope, 'source')],
    ['time', textIn(envelope, 'time')],
    ['tenant', TENANT_SUBJECT.exec(textIn(envelope, 'subject') ?? '')?.[1] ?? null],
    ['kind', isKind(type) ? type : null],
    ['trace_id', trace?.[1] ?? null],
    ['parent_span_id', trace?.[2] ?? null]
  ]
  const missing = defaults.filter(([name, value]) => value !== null && valueIn(data, name) === null)
  return { ...data, ...Object.fromEntries(missing) }
}

const read = (item: JsonItem, data: (envelope: JsonObject) => unknown): Item | Fault => {
  const { index, at, value } = item
  const refuse = (message: string, field?: string, seen?: unknown): Fault =>
    faultAt(item, { code: 'E_EVENT_INVALID', message, field: field ?? null, value: seen })
  if (!isJsonObject(value)) return refuse('not a CloudEvent: no JSON object', undefined, value)
  const version = valueIn(value, 'specversion')
  if (version !== '1.0') return refuse('specversion is not 1.0', 'specversion', version)
  try {
    const found = data(value)
    if (isJsonObject(found)) return { index, at, event: eventOf(value, found) }
    return refuse('data is not a JSON object', 'data', found)
  } catch (error) {
    return refuse(error instanceof Error ? error.message : String(error), 'data_base64')
  }
}

const readMessage = (message: Message): Reading => {
  const attributes = headerAttributes(message)
  const { items, faults } =
    attributes === null
      ? jsonItems(message)
      : { items: [{ index: 0, at: '[0]', value: attributes }], faults: [] }
  const reading: Reading = { items: [], faults, ignored: 0 }
  const body = attributes === null ? null : parseJson(message.bytes)
  for (const item of items) {
    const result = read(item, attributes === null ? dataOf : () => body)
    if ('event' in result) reading.items.push(result)
    else reading.faults.push(result)
  }
  return reading
}

export default defineSource({
  title: 'CloudEvents',
  about:
    'Native events as `data` of CloudEvents 1.0, structured or batched, to /v1/events; binary ' +
    'mode to /v1/sources/cloudevents or from a topic. The subject `tenant/<name>` names the tenant.',
  doors: [
    {
      path: '/v1/events',
      mediaTypes: ['application/cloudevents+json', 'application/cloudevents-batch+json']
    }
  ],
  handling: 'strict',
  framing: 'lines',
  tells: EVENT_FIELDS.map((field) => field.path),
  headers: ['specversion', 'id', 'source', 'type', 'time', 'subject', 'traceparent'].map(
    (name) => `ce_${name}`
  ),
  read: readMessage
})
