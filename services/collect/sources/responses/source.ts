import { contentHash } from '../../content-hash.ts'
import { answerText } from '../../count/answer-text.ts'
import { faultAt, type Fault } from '../../fault.ts'
import {
  isJsonObject,
  numberIn,
  secondsText,
  textIn,
  valueIn,
  type JsonObject
} from '../../json-value.ts'
import { label } from '../../label.ts'
import { normalize, type Normalized } from '../../normalize/normalize.ts'
import { jsonItems, type JsonItem } from '../json-items.ts'
import { defineSource, type Candidate, type Item, type Message, type Reading } from '../source.ts'

/** Fields of the envelope that are fields of the event under the same name. */
const SAME = [
  'source',
  'time',
  'tenant',
  'project',
  'team',
  'user',
  'name',
  'trace_id',
  'span_id',
  'parent_span_id',
  'operation_id',
  'attempt',
  'conversation_id',
  'duration_ms',
  'ttft_ms',
  'region',
  'route',
  'provider_account',
  'status',
  'tags'
] as const

/** Warnings of a stream whose answer is not whole, which then is not to be counted. */
const CUT = new Set(['stream_cut', 'stream_error', 'stream_tail_unreadable'])

/** Facts that a response tells of itself, under the names that the event has for them. */
const FACTS = [
  'provider',
  'api',
  'response_model',
  'response_id',
  'request_id',
  'service_tier',
  'stop_reason',
  'cache_miss_reason'
] as const

/**
 * `{ "time": …, "tenant": …, "provider": …, "body": … }`, where the body is a response, an error,
 * a usage block, a list of stream events, or the text of a stream; everything but it may be left
 * out where the response itself tells. A `request` beside it is counted and dropped.
 */
const envelopeItem = (envelope: JsonObject): Pick<Item, 'event' | 'said'> => {
  const read = normalize({
    provider: textIn(envelope, 'provider'),
    api: textIn(envelope, 'api'),
    model: textIn(envelope, 'model'),
    emitter: textIn(envelope, 'emitter'),
    status: numberIn(envelope, 'status'),
    body: envelope['body']
  })
  const event: Record<string, unknown> = { ...factsOf(read), ...countsOf(read) }
  for (const name of SAME) event[name] ??= valueIn(envelope, name)
  event['id'] = textIn(envelope, 'id') ?? idOf(read, envelope)
  event['kind'] = textIn(envelope, 'kind') ?? (read.api === 'embeddings' ? 'embedding' : 'llm')
  event['emitter'] = label(textIn(envelope, 'emitter'))
  Object.assign(event, askedOf(envelope['request']))
  event['request_model'] =
    textIn(envelope, 'model') ?? event['request_model'] ?? label(read.response_model)
  event['time'] ??= createdAt(envelope['body'])
  const isCut = read.warnings.some((warning) => CUT.has(warning))
  const out = (): string | null => (isCut ? null : answerText(envelope['body']))
  return { event, said: () => ({ in: valueIn(envelope, 'request'), out: out() }) }
}

const RUNNING = new Set(['queued', 'in_progress'])

/**
 * A background response is told without usage while it runs, and again when it is fetched: by one
 * id the first would be kept and the usage lost. Settling joins the two by their response id.
 */
const idOf = (read: Normalized, envelope: JsonObject): string => {
  const id = read.response_id ?? read.request_id ?? contentHash(envelope)
  const status = textIn(envelope, 'body', 'status')
  return status !== null && RUNNING.has(status) && read.usage === null ? `${id}/${status}` : id
}

/** What the request tells, where it is sent along. */
const askedOf = (request: unknown): Candidate => {
  const tools = valueIn(request, 'tools')
  const model = label(textIn(request, 'model'))
  return {
    ...(model === null ? {} : { request_model: model }),
    ...(tools === null ? {} : { tools_hash: contentHash(tools) })
  }
}

const factsOf = (read: Normalized): Candidate => {
  const facts: Record<string, unknown> = {
    stop_class: read.stop_class,
    refusal: read.refusal,
    batch: read.batch,
    queue_ms: read.queue_ms,
    region: label(read.region),
    cost_reported_usd: read.cost_reported_usd,
    error_type: label(read.provider_error?.class ?? null)
  }
  for (const name of FACTS) facts[name] = label(read[name])
  return facts
}

const countsOf = (read: Normalized): Candidate =>
  read.usage === null
    ? {}
    : {
        usage: read.usage,
        tokens: read.tokens,
        usage_convention: label(read.convention),
        usage_confidence: read.confidence,
        usage_warnings: read.warnings.length === 0 ? null : read.warnings
      }

/** When the provider says that it made the response: `created` and its like, in seconds. */
const createdAt = (body: unknown): string | null => {
  const seconds = numberIn(body, 'created') ?? numberIn(body, 'created_at')
  return seconds === null ? textIn(body, 'createTime') : secondsText(seconds)
}

const KNOWN = new Set<string>([
  ...SAME,
  'id',
  'kind',
  'provider',
  'api',
  'model',
  'emitter',
  'request',
  'body'
])

/** A fault, or the envelope; a bare response stands for itself. */
const envelopeOf = (item: JsonItem): JsonObject | Fault => {
  const { value } = item
  if (!isJsonObject(value)) {
    const message = 'not a response: no JSON object'
    return faultAt(item, { code: 'E_EVENT_INVALID', message, value })
  }
  if (!Object.hasOwn(value, 'body')) return { body: value }
  const unknown = Object.keys(value).find((key) => !KNOWN.has(key))
  if (unknown === undefined) return value
  const message = `${unknown} is not a field of the envelope`
  return faultAt(item, { code: 'E_EVENT_INVALID', message, field: unknown, value: value[unknown] })
}

const isFault = (found: JsonObject | Fault): found is Fault => 'code' in found && 'at' in found

const read = (message: Message): Reading => {
  const { items, faults } = jsonItems(message)
  const reading: Reading = { items: [], faults, ignored: 0 }
  for (const item of items) {
    const found = envelopeOf(item)
    if (isFault(found)) reading.faults.push(found)
    else reading.items.push({ index: item.index, at: item.at, ...envelopeItem(found) })
  }
  return reading
}

export default defineSource({
  title: 'Raw provider responses',
  about:
    'Responses, errors and stream transcripts as providers gave them: one JSON object each, bare ' +
    'or as `body` of an envelope with time, tenant, provider, api and model. What the body tells ' +
    'is read from it; a body without its creation time needs the envelope. The answer is counted, ' +
    'and so is a `request` beside it; both are dropped.',
  doors: [],
  handling: 'strict',
  framing: 'lines',
  tells: [
    ...SAME,
    ...FACTS,
    ...(
      'id kind request_model emitter usage tokens usage_convention usage_confidence ' +
      'usage_warnings stop_class refusal batch queue_ms cost_reported_usd error_type ' +
      'tools_hash local script'
    ).split(' ')
  ],
  counts: true,
  read
})
