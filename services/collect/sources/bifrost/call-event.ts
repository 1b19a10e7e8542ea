import type { UsageEvent } from '../../../../schemas/event.ts'
import type { Said } from '../../count/local-counts.ts'
import { numberIn, objectIn, textIn, valueIn, type JsonObject } from '../../json-value.ts'
import { label } from '../../label.ts'
import { providerName } from '../../provider-name.ts'
import type { Candidate } from '../source.ts'

/** What holds for every call of a trace. */
export type Trace = {
  id: string
  requestId: string | null
  tenant: string | null
  /** When the trace began: the time that is left where a span's is missing. */
  startedAt: string | null
}

/** Null when the object is no trace. */
export const traceOf = (trace: JsonObject): Trace | null => {
  const id = textIn(trace, 'TraceID')
  if (id === null) return null
  return {
    id,
    requestId: textIn(trace, 'RequestID'),
    tenant: headerOf(objectIn(trace, 'RequestHeaders'), 'x-tenant-id'),
    startedAt: textIn(trace, 'StartTime')
  }
}

/** Go writes captured headers as text, or as lists of it. */
const headerOf = (headers: JsonObject | null, name: string): string | null => {
  for (const [key, value] of Object.entries(headers ?? {})) {
    if (key.toLowerCase() !== name) continue
    const first: unknown = Array.isArray(value) ? value[0] : value
    if (typeof first === 'string' && first !== '') return first
  }
  return null
}

const KINDS: Readonly<Record<string, UsageEvent['kind']>> = {
  'llm.call': 'llm',
  'embedding.call': 'embedding',
  'mcp.tool': 'tool',
  'mcp.call': 'tool',
  'tool.call': 'tool'
}

/** Kind of step that a span is; null for requests and plugins, which repeat or use nothing. */
export const kindOfSpan = (span: JsonObject): UsageEvent['kind'] | null => {
  const kind = textIn(span, 'Kind') ?? ''
  const known = Object.hasOwn(KINDS, kind) ? (KINDS[kind] ?? null) : null
  if (known !== 'llm') return known
  const operation = attribute(span, 'gen_ai.operation.name') ?? textIn(span, 'Name') ?? ''
  if (operation.startsWith('embedding')) return 'embedding'
  return operation.startsWith('rerank') ? 'rerank' : 'llm'
}

const attribute = (span: JsonObject, ...names: string[]): string | null => {
  for (const name of names) {
    const value = valueIn(span, 'Attributes', name)
    if (typeof value === 'string' && value !== '') return label(value)
    if (typeof value === 'number') return String(value)
  }
  return null
}

/** The native event of one span that is a call. */
export const callEvent = (trace: Trace, span: JsonObject, kind: UsageEvent['kind']): Candidate => {
  const spanId = textIn(span, 'SpanID')
  const provider = attribute(span, 'gen_ai.provider.name', 'gen_ai.system')
  const retries = numberIn(span, 'Attributes', 'bifrost.retries')
  return {
    id: `${trace.id}-${spanId}`,
    source: 'bifrost',
    time: textIn(span, 'StartTime') ?? trace.startedAt,
    kind,
    name:
      kind === 'tool'
        ? (attribute(span, 'gen_ai.tool.name', 'mcp.tool.name') ?? nameOf(span))
        : null,
    duration_ms: elapsedMs(span),
    trace_id: label(trace.id),
    span_id: spanId,
    parent_span_id: textIn(span, 'ParentID'),
    operation_id: label(trace.requestId),
    attempt: retries === null ? null : retries + 1,
    response_id: attribute(span, 'gen_ai.response.id'),
    request_id: attribute(span, 'bifrost.provider_request_id'),
    emitter: 'bifrost',
    provider: provider === null ? null : providerName(provider),
    request_model: attribute(span, 'gen_ai.request.model'),
    response_model: attribute(span, 'gen_ai.response.model'),
    temperature: numberIn(span, 'Attributes', 'gen_ai.request.temperature'),
    stop_reason: stopOf(span),
    usage: usageOf(span),
    ...ownerOf(trace, span),
    ...outcomeOf(span)
  }
}

const nameOf = (span: JsonObject): string | null => label(textIn(span, 'Name'))

const elapsedMs = (span: JsonObject): number | null => {
  const [start, end] = [textIn(span, 'StartTime'), textIn(span, 'EndTime')]
  const elapsed = Date.parse(end ?? '') - Date.parse(start ?? '')
  return elapsed >= 0 ? Math.round(elapsed) : null
}

const ownerOf = (trace: Trace, span: JsonObject): Candidate => {
  const customer = attribute(span, 'bifrost.customer.name', 'bifrost.customer.id')
  const team = attribute(span, 'bifrost.team.name', 'bifrost.team.id')
  return {
    tenant: trace.tenant ?? customer ?? team,
    team,
    project: attribute(span, 'bifrost.virtual_key.name', 'bifrost.virtual_key.id'),
    user: attribute(span, 'bifrost.user.id', 'gen_ai.user.id', 'user.id'),
    provider_account: attribute(span, 'bifrost.selected_key.name', 'bifrost.selected_key.id')
  }
}

/** Finish reasons come as one text or as a list of them. */
const stopOf = (span: JsonObject): string | null => {
  const list = valueIn(span, 'Attributes', 'gen_ai.response.finish_reasons')
  const first: unknown = Array.isArray(list) ? list[0] : list
  return (
    attribute(span, 'gen_ai.response.finish_reason') ??
    (typeof first === 'string' ? label(first) : null)
  )
}

const outcomeOf = (span: JsonObject): Candidate => {
  const status = numberIn(span, 'Attributes', 'http.status_code')
  const failed = textIn(span, 'Status') === 'error'
  const type = attribute(span, 'error.type', 'gen_ai.error.type', 'gen_ai.error.code')
  return { status, error_type: failed || type !== null ? (type ?? 'error') : null }
}

/** Messages by the GenAI conventions, where Bifrost is told to trace them: lists, or JSON of them. */
export const spanSaid = (span: JsonObject): Said => {
  const messages = (name: string): unknown => {
    const value = valueIn(span, 'Attributes', name)
    return typeof value === 'string' ? parsed(value) : value
  }
  return { in: messages('gen_ai.input.messages'), out: messages('gen_ai.output.messages') }
}

/** Null for a list that was cut. */
const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return null
  }
}

/** The attributes that speak of usage, by their names; the cost among them is Bifrost's own. */
const usageOf = (span: JsonObject): JsonObject | null => {
  const attributes = objectIn(span, 'Attributes') ?? {}
  const entries = Object.entries(attributes).filter(([name]) => name.startsWith('gen_ai.usage.'))
  return entries.length === 0 ? null : Object.fromEntries(entries)
}
