import { faultAt, type Fault } from '../../fault.ts'
import { isJsonObject, textIn, valueIn, type JsonObject } from '../../json-value.ts'
import { jsonItems, type JsonItem } from '../json-items.ts'
import { defineSource, type Item, type Message, type Reading } from '../source.ts'
import { callEvent, kindOfSpan, spanSaid, traceOf } from './call-event.ts'

/** Spans of one trace: a request with its plugins has about thirty. */
const SPANS_MAX = 10_000

/**
 * Every span of a trace once, by its id: the root stands in `RootSpan` and again as the first of
 * `Spans` (maximhq/bifrost `docs/features/observability/kafka.mdx`).
 */
const spansOf = (trace: JsonObject): JsonObject[] => {
  const listed = valueIn(trace, 'Spans')
  const all = [...(Array.isArray(listed) ? (listed as unknown[]) : []), valueIn(trace, 'RootSpan')]
  const spans = new Map<string, JsonObject>()
  for (const span of all.slice(0, SPANS_MAX)) {
    const id = textIn(span, 'SpanID')
    if (isJsonObject(span) && id !== null && !spans.has(id)) spans.set(id, span)
  }
  return [...spans.values()]
}

const refuse = (item: JsonItem, message: string, field: string | null): Fault =>
  faultAt(item, { code: 'E_EVENT_INVALID', message, field, value: item.value })

const itemsOf = (item: JsonItem): { items: Item[]; ignored: number } | Fault => {
  const { index, at, value } = item
  if (!isJsonObject(value)) return refuse(item, 'not a Bifrost trace: no JSON object', null)
  const trace = traceOf(value)
  if (trace === null) return refuse(item, 'not a Bifrost trace: it has no TraceID', 'TraceID')
  const spans = spansOf(value)
  if (spans.length === 0) return refuse(item, 'the trace has no spans', 'Spans')
  const items = spans.flatMap((span) => {
    const kind = kindOfSpan(span)
    if (kind === null) return []
    const place = `${at} span ${String(span['SpanID'])}`
    const event = callEvent(trace, span, kind)
    return [{ index, at: place, event, ...(kind === 'tool' ? {} : { said: () => spanSaid(span) }) }]
  })
  // A trace without a call (a health check, a refusal by a plugin) says nothing about usage.
  return { items, ignored: items.length === 0 ? 1 : 0 }
}

const read = (message: Message): Reading => {
  const { items, faults } = jsonItems(message)
  const reading: Reading = { items: [], faults, ignored: 0 }
  for (const item of items) {
    const found = itemsOf(item)
    if ('code' in found) reading.faults.push(found)
    else {
      reading.items.push(...found.items)
      reading.ignored += found.ignored
    }
  }
  return reading
}

export default defineSource({
  title: 'Bifrost Kafka traces',
  about:
    "Traces of the Bifrost gateway as its Kafka connector publishes them: the trace's calls of " +
    'models and tools, each once. Its own cost is kept in the usage block and believed nowhere. ' +
    'The header x-tenant-id pays where Bifrost captures it (`request_headers`), else the ' +
    'customer, else the team of the virtual key.',
  doors: [],
  handling: 'lenient',
  framing: 'lines',
  tells: (
    'id source time tenant kind name duration_ms project team user trace_id span_id ' +
    'parent_span_id operation_id attempt request_id response_id provider request_model response_model ' +
    'emitter provider_account usage status error_type stop_reason temperature ' +
    'local script'
  ).split(' '),
  counts: true,
  read
})
