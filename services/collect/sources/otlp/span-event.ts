import type { Candidate } from '../source.ts'
import { contentHash } from '../../content-hash.ts'
import { decimalText, label } from '../../label.ts'
import { providerName } from '../../provider-name.ts'
import { numberOf, structureOf, textOf, type Attributes } from './attributes.ts'
import type { Kind } from './dialect.ts'
import * as names from './field-names.ts'
import { durationMs, timeText, type Span } from './span.ts'
import { spanTags } from './span-tags.ts'

/** Kind of step that a span is, or null when it says nothing about usage. */
export const kindOf = ({ attributes }: Span): Kind | null => {
  for (const dialect of names.KIND_ORDER) {
    const kind = dialect.kind(attributes)
    if (kind !== null) return kind
  }
  return null
}

/** The native event of a span of a kind; judged later like every other candidate. */
export const spanEvent = (span: Span, kind: Kind): Candidate => {
  const { attributes } = span
  const event: Candidate = {
    id: `${span.traceId}-${span.spanId}`,
    source: sourceName(span.resource),
    time: timeText(span.startNs),
    kind,
    trace_id: span.traceId,
    span_id: span.spanId,
    parent_span_id: span.parentSpanId || null,
    links: span.links.length > 0 ? span.links : null,
    emitter: scopeName(span.scope),
    duration_ms: span.endNs === 0n ? null : durationMs(span.startNs, span.endNs),
    name: nameOf(span, kind),
    ttft_ms: ttftOf(attributes),
    temperature: numberOf(attributes, names.TEMPERATURES),
    stop_reason: stopOf(attributes),
    cost_reported_usd: costOf(attributes),
    tags: spanTags(attributes),
    usage: usageOf(attributes)
  }
  fillTexts(event, span)
  for (const { structure } of names.FIELD_ORDER) fillMissing(event, structure?.(attributes))
  fillHashes(event, attributes, kind)
  fillOutcome(event, span)
  event.request_model ??= event.response_model ?? null
  // An agent repeats the usage of the calls below it: kept for comparison, never counted.
  if (kind === 'agent') event.tokens = null
  return event
}

/** Name of the process that emitted, which with the span's id is the identity of the event. */
export const sourceName = (resource: Attributes): string =>
  label(textOf(resource, ['service.name'])) ?? 'otlp'

/** Instrumentation and its version, as rules of normalisation name them: `name@version`. */
export const scopeName = ({ name, version }: Span['scope']): string | null =>
  label([name, version].filter((part) => part !== '').join('@'))

const fillMissing = (event: Candidate, found: Candidate | undefined): void => {
  if (found === undefined) return
  // A dialect that takes the block apart knows it better than its attributes' names do.
  if (found.usage !== undefined) event.usage = found.usage
  const holder = event as Record<string, unknown>
  for (const [field, value] of Object.entries(found)) holder[field] ??= value
}

const fillTexts = (event: Candidate, { attributes, resource }: Span): void => {
  for (const [field, known] of names.TEXTS) {
    const own = textOf(attributes, known)
    const text = own ?? (names.RESOURCE_FIELDS.has(field) ? textOf(resource, known) : null)
    if (text === null) continue
    // A tenant is an identity: a malformed one is refused and not repaired.
    event[field] ??= field === 'tenant' ? text : label(text)
  }
  if (typeof event.provider === 'string') event.provider = providerName(event.provider)
}

const fillHashes = (event: Candidate, attributes: Attributes, kind: Kind): void => {
  for (const [field, known] of names.HASHES[kind] ?? []) {
    const content = known
      .map((name) => contentAt(attributes, name))
      .find((one) => one !== undefined)
    if (content !== undefined) event[field] = contentHash(content)
  }
}

const contentAt = (attributes: Attributes, name: string): unknown => {
  if (!name.endsWith('.')) return attributes.get(name)
  const names = [...attributes.names()].filter((one) => one.startsWith(name))
  return names.length === 0
    ? undefined
    : Object.fromEntries(names.map((one) => [one, attributes.get(one)]))
}

/** Calls of models are told apart by model; all other steps by a name of their own. */
const nameOf = (span: Span, kind: Kind): string | null => {
  const named = label(textOf(span.attributes, names.namesFor(kind)))
  if (named !== null) return named
  return kind === 'llm' || kind === 'embedding' ? null : label(span.name)
}

const MS_PER_SECOND = 1000

const ttftOf = (attributes: Attributes): number | null => {
  const seconds = numberOf(attributes, names.TTFT_SECONDS)
  const ms = seconds === null ? numberOf(attributes, names.TTFT_MS) : seconds * MS_PER_SECOND
  return ms === null || ms < 0 ? null : Math.round(ms)
}

const stopOf = (attributes: Attributes): string | null => {
  for (const name of names.STOPS) {
    const value = attributes.get(name)
    const list = typeof value === 'string' && value.startsWith('[') ? structureOf(value) : value
    const first = Array.isArray(list) ? list[0] : list
    if (typeof first === 'string' && first !== '') return label(first)
  }
  return null
}

const costOf = (attributes: Attributes): string | null => {
  for (const name of names.COSTS) {
    const cost = decimalText(attributes.get(name))
    if (cost !== null) return cost
  }
  return null
}

const EXCEPTIONS = new Set(['exception', 'gen_ai.client.operation.exception'])
const STATUS_TEXT = /^[1-5]\d\d$/

const fillOutcome = (event: Candidate, span: Span): void => {
  const named = textOf(span.attributes, names.ERROR_TYPES)
  const stated = numberOf(span.attributes, names.STATUSES)
  event.status = stated ?? (named !== null && STATUS_TEXT.test(named) ? Number(named) : null)
  if (!span.isError && named === null) return
  const thrown = span.moments.find(({ name }) => EXCEPTIONS.has(name))
  const exception = thrown === undefined ? null : textOf(thrown.attributes, ['exception.type'])
  event.error_type = label(named ?? exception) ?? 'error'
}

/** Some emitters write all attributes as text. */
const COUNT_TEXT = /^\d{1,15}$/

/** The attributes that speak of usage, verbatim: normalisation knows them by their names. */
const usageOf = (attributes: Attributes): Record<string, unknown> | null => {
  let usage: Record<string, unknown> | null = null
  for (const name of attributes.names()) {
    if (!names.USAGE_PREFIXES.some((prefix) => name.startsWith(prefix))) continue
    usage ??= {}
    const value = attributes.get(name)
    usage[name] = typeof value === 'string' && COUNT_TEXT.test(value) ? Number(value) : value
  }
  return usage
}
