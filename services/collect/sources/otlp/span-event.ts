import type { Candidate } from '../source.ts'
import { contentHash } from '../../content-hash.ts'
import { decimalText, label } from '../../label.ts'
import { providerName } from '../../provider-name.ts'
import {
  numberOf,
  structureOf,
  textOf,
  type Attributes,
  type AttributeValue
} from './attributes.ts'
import type { Dialect, HashField, Kind, TextField } from './dialect.ts'
import { genAi } from './dialects/gen-ai.ts'
import { langfuse } from './dialects/langfuse.ts'
import { openInference } from './dialects/openinference.ts'
import { openLlmetry } from './dialects/openllmetry.ts'
import { tally } from './dialects/tally.ts'
import { vercelAi } from './dialects/vercel-ai.ts'
import { durationMs, timeText, type Span } from './span.ts'

/** In the order in which they are asked: a span may carry attributes of several. */
const KIND_ORDER = [vercelAi, openInference, openLlmetry, langfuse, genAi] as const
const FIELD_ORDER = [tally, genAi, openInference, openLlmetry, vercelAi, langfuse] as const

/** What the dialects say together, once and for all spans: names by field, in order. */
const namesOf = (read: (dialect: Dialect) => readonly string[] | undefined): readonly string[] =>
  FIELD_ORDER.flatMap((dialect) => read(dialect) ?? [])

const TEXT_FIELDS: readonly TextField[] = [
  'tenant',
  'project',
  'team',
  'user',
  'conversation_id',
  'request_id',
  'response_id',
  'provider',
  'request_model',
  'response_model',
  'service_tier',
  'route',
  'prompt_version',
  'component_version'
]
const TEXTS = TEXT_FIELDS.map((field) => [field, namesOf((one) => one.text?.[field])] as const)
/** Fields that a process sets once for all of its spans. */
const RESOURCE_FIELDS: ReadonlySet<TextField> = new Set(['tenant', 'project', 'team', 'route'])

const ERROR_TYPES = namesOf((one) => one.text?.error_type)
const TTFT_SECONDS = namesOf((one) => one.ttftSeconds)
const TTFT_MS = namesOf((one) => one.ttftMs)
const TEMPERATURES = namesOf((one) => one.temperature)
const STOPS = namesOf((one) => one.stop)
const COSTS = namesOf((one) => one.cost)
const USAGE_PREFIXES = namesOf((one) => one.usage)
const TAG_PREFIXES = namesOf((one) => one.tags)
const STATUSES = ['http.response.status_code', 'http.status_code']

const MS_PER_SECOND = 1000

/** Kind of step that a span is, or null when it says nothing about usage. */
export const kindOf = ({ attributes }: Span): Kind | null => {
  for (const dialect of KIND_ORDER) {
    const kind = dialect.kind(attributes)
    if (kind !== null) return kind
  }
  return null
}

/** The native event of a span of a kind; judged later like every other candidate. */
export const spanEvent = (span: Span, kind: Kind): Candidate => {
  const { attributes } = span
  const event: Candidate = {
    ...identityOf(span),
    kind,
    duration_ms: span.endNs === 0n ? null : durationMs(span.startNs, span.endNs),
    ...structuresOf(attributes),
    ...textsOf(span),
    ...hashesOf(attributes, kind),
    name: nameOf(span, kind),
    ttft_ms: ttftOf(attributes),
    temperature: numberOf(attributes, TEMPERATURES) ?? structuresOf(attributes).temperature ?? null,
    stop_reason: stopOf(attributes),
    cost_reported_usd: costOf(attributes),
    tags: tagsOf(attributes),
    ...outcomeOf(span)
  }
  addUsage(event, attributes)
  if (event.provider !== undefined && event.provider !== null)
    event.provider = providerName(event.provider)
  event.request_model ??= event.response_model ?? null
  // An agent repeats the usage of the calls below it: kept for comparison, never counted.
  if (kind === 'agent') delete event.tokens
  return withoutNulls(event)
}

const identityOf = (span: Span): Candidate => ({
  id: `${span.traceId}-${span.spanId}`,
  source: label(textOf(span.resource, ['service.name'])) ?? 'otlp',
  time: timeText(span.startNs),
  trace_id: span.traceId,
  span_id: span.spanId,
  parent_span_id: span.parentSpanId || null,
  links: span.links.length > 0 ? span.links : null,
  emitter: label([span.scope.name, span.scope.version].filter((part) => part !== '').join('@'))
})

const structuresOf = (attributes: Attributes): Candidate => {
  const event: Candidate = {}
  for (const { structure } of FIELD_ORDER) Object.assign(event, structure?.(attributes))
  return event
}

const textsOf = (span: Span): Candidate => {
  const event: Candidate = {}
  for (const [field, names] of TEXTS) {
    const own = textOf(span.attributes, names)
    const text = own ?? (RESOURCE_FIELDS.has(field) ? textOf(span.resource, names) : null)
    // A tenant is an identity: a malformed one is refused and not repaired.
    if (text !== null) event[field] = field === 'tenant' ? text : label(text)
  }
  return event
}

const TOOL_HASHES: readonly HashField[] = ['args_hash', 'result_hash']
const PROMPT_HASHES: readonly HashField[] = ['system_prompt_hash', 'tools_hash']
const HASHES = new Map(
  [...TOOL_HASHES, ...PROMPT_HASHES].map((field) => [field, namesOf((one) => one.hash?.[field])])
)

const hashesOf = (attributes: Attributes, kind: Kind): Candidate => {
  const event: Candidate = {}
  const fields = kind === 'tool' ? TOOL_HASHES : kind === 'llm' ? PROMPT_HASHES : []
  for (const field of fields) {
    const name = HASHES.get(field)?.find((one) => attributes.get(one) !== undefined)
    if (name !== undefined) event[field] = contentHash(attributes.get(name))
  }
  return event
}

const NAMES = new Map<Kind, readonly string[]>()
const namesFor = (kind: Kind): readonly string[] => {
  const known = NAMES.get(kind) ?? namesOf((one) => one.name?.[kind])
  NAMES.set(kind, known)
  return known
}

/** Calls of models are told apart by model; all other steps by a name of their own. */
const nameOf = (span: Span, kind: Kind): string | null => {
  const named = label(textOf(span.attributes, namesFor(kind)))
  if (named !== null) return named
  return kind === 'llm' || kind === 'embedding' ? null : label(span.name)
}

const ttftOf = (attributes: Attributes): number | null => {
  const seconds = numberOf(attributes, TTFT_SECONDS)
  const ms = seconds === null ? numberOf(attributes, TTFT_MS) : seconds * MS_PER_SECOND
  return ms === null || ms < 0 ? null : Math.round(ms)
}

const stopOf = (attributes: Attributes): string | null => {
  for (const name of STOPS) {
    const value = attributes.get(name)
    const list = typeof value === 'string' && value.startsWith('[') ? structureOf(value) : value
    const first = Array.isArray(list) ? list[0] : list
    if (typeof first === 'string' && first !== '') return label(first)
  }
  return null
}

const costOf = (attributes: Attributes): string | null => {
  for (const name of COSTS) {
    const cost = decimalText(attributes.get(name))
    if (cost !== null) return cost
  }
  return structuresOf(attributes).cost_reported_usd ?? null
}

/** Labels are for slicing: more of them, or longer ones, are a document. */
const TAGS_MAX = 32
const TAG_LENGTH_MAX = 256

const tagsOf = (attributes: Attributes): Record<string, string> | null => {
  const tags: [string, string][] = []
  for (const name of attributes.names()) {
    const prefix = TAG_PREFIXES.find((one) => name.startsWith(one))
    if (prefix === undefined || tags.length >= TAGS_MAX) continue
    const value = attributes.get(name)
    const key = label(name.slice(prefix.length))
    const text = label(scalarText(value))
    if (key !== null && text !== null && key !== '__proto__')
      tags.push([key, text.slice(0, TAG_LENGTH_MAX)])
  }
  return tags.length === 0 ? null : Object.fromEntries(tags)
}

const scalarText = (value: AttributeValue | undefined): string | null =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : null

const EXCEPTIONS = new Set(['exception', 'gen_ai.client.operation.exception'])
const STATUS_TEXT = /^[1-5]\d\d$/

const outcomeOf = (span: Span): Candidate => {
  const named = textOf(span.attributes, ERROR_TYPES)
  const stated = numberOf(span.attributes, STATUSES)
  const status = stated ?? (named !== null && STATUS_TEXT.test(named) ? Number(named) : null)
  if (!span.isError && named === null) return { status }
  const thrown = span.moments.find(({ name }) => EXCEPTIONS.has(name))
  const exception = thrown === undefined ? null : textOf(thrown.attributes, ['exception.type'])
  return { status, error_type: label(named ?? exception) ?? 'error' }
}

const addUsage = (event: Candidate, attributes: Attributes): void => {
  const usage: Record<string, unknown> = {}
  for (const name of attributes.names()) {
    if (USAGE_PREFIXES.some((prefix) => name.startsWith(prefix))) usage[name] = attributes.get(name)
  }
  if (event.usage === undefined && Object.keys(usage).length > 0) event.usage = usage
}

const withoutNulls = (event: Candidate): Candidate =>
  Object.fromEntries(
    Object.entries(event).filter(([, value]) => value !== null && value !== undefined)
  )
