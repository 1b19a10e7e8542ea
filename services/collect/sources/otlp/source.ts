import { Failure } from '../../../../schemas/failure.ts'
import { faultAt, type Fault } from '../../fault.ts'
import { defineSource, type Item, type Message, type Reading } from '../source.ts'
import { spanContent } from './content.ts'
import type { Kind } from './dialect.ts'
import { isEvaluation, logEvent, momentEvent } from './evaluation-event.ts'
import { readJsonLogRecords, readJsonSpans } from './json.ts'
import { readLogRecords, readSpans } from './protobuf.ts'
import { exportAnswer, JSON_TYPE, PROTOBUF, statusAnswer } from './response.ts'
import { spanSaid } from './said.ts'
import { kindOf, spanEvent } from './span-event.ts'
import type { Span } from './span.ts'

const TRACES = '/v1/traces'
const LOGS = '/v1/logs'

const TRACE_ID = /^(?!0{32})[\da-f]{32}$/
const SPAN_ID = /^(?!0{16})[\da-f]{16}$/

const idFault = (span: Span, index: number): Fault | null => {
  const complain = (field: 'traceId' | 'spanId', digits: number): Fault =>
    faultAt(
      { index, at: span.at },
      {
        code: 'E_EVENT_INVALID',
        message: `${field} is not ${digits} hexadecimal digits, not all of them zero`,
        field,
        value: span[field]
      }
    )
  if (!TRACE_ID.test(span.traceId)) return complain('traceId', 32)
  return SPAN_ID.test(span.spanId) ? null : complain('spanId', 16)
}

const itemsOf = (span: Span, index: number): Item[] => {
  const kind = kindOf(span)
  const items: Item[] = kind === null ? [] : [spanItem(span, index, kind)]
  for (const [position, moment] of span.moments.entries()) {
    if (!isEvaluation(moment)) continue
    const at = `${span.at}.events[${position}]`
    items.push({ index, at, event: momentEvent(span, moment, position) })
  }
  return items
}

const spanItem = (span: Span, index: number, kind: Kind): Item => ({
  index,
  at: span.at,
  event: spanEvent(span, kind),
  content: () => spanContent(span.attributes),
  ...(kind === 'llm' || kind === 'embedding' ? { said: () => spanSaid(span) } : {})
})

const readTraces = (message: Message): Reading => {
  const { bytes } = message
  const spans = isProtobuf(message) ? readSpans(bytes) : readJsonSpans(bytes)
  const reading: Reading = { items: [], faults: [], ignored: 0 }
  for (const [index, span] of spans.entries()) {
    const items = itemsOf(span, index)
    const fault = items.length === 0 ? null : idFault(span, index)
    if (items.length === 0) reading.ignored++
    else if (fault !== null) reading.faults.push(fault)
    else reading.items.push(...items)
  }
  return reading
}

const readLogs = (message: Message): Reading => {
  const { bytes } = message
  const records = isProtobuf(message) ? readLogRecords(bytes) : readJsonLogRecords(bytes)
  const items = records.flatMap((record, index) =>
    isEvaluation(record) ? [{ index, at: record.at, event: logEvent(record) }] : []
  )
  return { items, faults: [], ignored: records.length - items.length }
}

/** Field 1 of the request, a message: how every request that is not empty begins. */
const FIRST_TAG = 0x0a
const MULTIPLE_BITS = 0x80

/**
 * Files and topics name no media type, or an idle one. JSON begins with a brace, blanks before it allowed, and one
 * of these blanks is the tag of protobuf: then the length behind it decides, which fills the
 * message, or is that of the first of several.
 */
const isProtobuf = ({ bytes, mediaType }: Message): boolean => {
  if (mediaType === PROTOBUF || mediaType === JSON_TYPE) return mediaType === PROTOBUF
  if (bytes[0] !== FIRST_TAG) return false
  let at = 1
  let length = 0
  for (let shift = 0; at < bytes.length && shift < 28; shift += 7) {
    const byte = bytes[at++] ?? 0
    length |= (byte & (MULTIPLE_BITS - 1)) << shift
    if (byte < MULTIPLE_BITS) break
  }
  const next = at + length
  return next === bytes.length || bytes[next] === FIRST_TAG
}

/** The first key stands within so many bytes, even behind a page of blanks. */
const KEY_BYTES = 256
const LOGS_FIRST = /^\s*\{\s*"resourceLogs"/

/** A topic or file holds one kind of signal, which JSON says by its first key. */
const holdsLogs = ({ bytes, door }: Message): boolean =>
  door === null
    ? LOGS_FIRST.test(Buffer.from(bytes.subarray(0, KEY_BYTES)).toString('latin1'))
    : door === LOGS

const readSignal =
  (isLogs: (message: Message) => boolean) =>
  (message: Message): Reading =>
    isLogs(message) ? readLogs(message) : readTraces(message)

const SIGNALS = ['traces', 'logs']

/** OpenTelemetry spans that speak of models, tools, retrieval and agents. */
const otlp = defineSource({
  title: 'OpenTelemetry (OTLP)',
  about:
    'Spans over OTLP/HTTP in protobuf or JSON, and evaluation events as logs: the GenAI ' +
    'conventions by old and new names, OpenInference, OpenLLMetry, the Vercel AI SDK and ' +
    'Langfuse; from topics of the Collector (`otlp_proto`, `otlp_json`). Set ' +
    'OTEL_EXPORTER_OTLP_ENDPOINT to the collector. The tenant comes from ' +
    '`tally.tenant` or `tenant.id` on span or resource, the header x-tally-tenant, or the key.',
  doors: [TRACES, LOGS].map((path) => ({ path, mediaTypes: [PROTOBUF, JSON_TYPE] })),
  handling: 'lenient',
  framing: 'lines',
  tells: (
    'id source time tenant kind name duration_ms ttft_ms queue_ms project ' +
    'team user tags trace_id span_id parent_span_id conversation_id request_id response_id ' +
    'links provider api request_model response_model service_tier route emitter component_version ' +
    'usage system_prompt_hash prompt_version tools_hash status error_type stop_reason args_hash result_hash ' +
    'scores document_ids candidates score temperature cost_reported_usd local script'
  ).split(' '),
  counts: true,
  options: {
    signal: { about: 'traces or logs: what a topic of the OpenTelemetry Collector holds' }
  },
  configure: async ({ signal = 'traces' }) => {
    if (!SIGNALS.includes(signal)) {
      throw new Failure('E_USAGE', `signal is ${signal}, not traces or logs`)
    }
    return { ...otlp, read: readSignal(() => signal === 'logs') }
  },
  read: readSignal(holdsLogs),
  answer: (outcome, mediaType) => exportAnswer(outcome, mediaType, 'rejectedSpans'),
  complain: statusAnswer
})

export default otlp
