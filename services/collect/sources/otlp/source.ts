import { faultAt, type Fault } from '../../fault.ts'
import { defineSource, type Item, type Message, type Reading } from '../source.ts'
import { isEvaluation, logEvent, momentEvent } from './evaluation-event.ts'
import { readJsonLogRecords, readJsonSpans } from './json.ts'
import { readLogRecords, readSpans } from './protobuf.ts'
import { exportAnswer, JSON_TYPE, PROTOBUF, statusAnswer } from './response.ts'
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
  const items: Item[] = kind === null ? [] : [{ index, at: span.at, event: spanEvent(span, kind) }]
  for (const [position, moment] of span.moments.entries()) {
    if (!isEvaluation(moment)) continue
    const at = `${span.at}.events[${position}]`
    items.push({ index, at, event: momentEvent(span, moment, position) })
  }
  return items
}

const readTraces = ({ bytes, mediaType }: Message): Reading => {
  const spans = mediaType === PROTOBUF ? readSpans(bytes) : readJsonSpans(bytes)
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

const readLogs = ({ bytes, mediaType }: Message): Reading => {
  const records = mediaType === PROTOBUF ? readLogRecords(bytes) : readJsonLogRecords(bytes)
  const items = records.flatMap((record, index) =>
    isEvaluation(record) ? [{ index, at: record.at, event: logEvent(record) }] : []
  )
  return { items, faults: [], ignored: records.length - items.length }
}

/** OpenTelemetry spans that speak of models, tools, retrieval and agents. */
export default defineSource({
  title: 'OpenTelemetry (OTLP)',
  about:
    'Spans over OTLP/HTTP in protobuf or JSON, and evaluation events as logs: the GenAI ' +
    'conventions by old and new names, OpenInference, OpenLLMetry, the Vercel AI SDK and ' +
    'Langfuse. Set OTEL_EXPORTER_OTLP_ENDPOINT to the collector. The tenant comes from ' +
    '`tally.tenant` or `tenant.id` on span or resource, the header x-tally-tenant, or the key.',
  doors: [TRACES, LOGS].map((path) => ({ path, mediaTypes: [PROTOBUF, JSON_TYPE] })),
  handling: 'lenient',
  framing: 'lines',
  tells: (
    'id source time tenant kind name duration_ms ttft_ms project ' +
    'team user tags trace_id span_id parent_span_id conversation_id request_id response_id ' +
    'links provider api request_model response_model service_tier route emitter component_version ' +
    'usage system_prompt_hash prompt_version tools_hash status error_type stop_reason args_hash result_hash ' +
    'scores document_ids candidates score temperature cost_reported_usd'
  ).split(' '),
  read: (message) => (message.door === LOGS ? readLogs(message) : readTraces(message)),
  answer: (outcome, mediaType) => exportAnswer(outcome, mediaType, 'rejectedSpans'),
  complain: statusAnswer
})
