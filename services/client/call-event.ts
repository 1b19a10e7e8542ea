import { randomUUID } from 'node:crypto'
import { localCounts } from '../collect/count/local-counts.ts'
import { textOf } from '../collect/count/text-of.ts'
import { promptIdentity } from './prompt.ts'
import { isJson } from './response-facts.ts'
import type { Seen } from './watch-body.ts'

/** Who pays and how it is sliced: fields of the native event that hold for every call of a client. */
export type Labels = {
  tenant: string
  project?: string
  team?: string
  user?: string
  route?: string
  /** Who served, where neither host nor path of the call tells. */
  provider?: string
  tags?: Readonly<Record<string, string>>
}

/** One call as the application made it. */
export type Call = {
  url: string
  request: unknown
  /** Of the request: a `traceparent` joins the call to its trace. */
  requestHeaders: Headers | null
  startedMs: number
  endedMs: number
  status: number | null
  responseHeaders: Headers | null
}

const EMITTER = 'tallystream-client'
const APIS: readonly (readonly [RegExp, { api: string; provider: string; kind?: string }])[] = [
  [/\/chat\/completions$/, { api: 'chat', provider: 'openai' }],
  [/\/responses$/, { api: 'responses', provider: 'openai' }],
  [/\/embeddings$/, { api: 'embeddings', provider: 'openai', kind: 'embedding' }],
  [/\/messages$/, { api: 'messages', provider: 'anthropic' }],
  [/:(stream)?generateContent$/i, { api: 'generateContent', provider: 'google' }]
]
const REQUEST_IDS = ['x-request-id', 'request-id', 'apim-request-id', 'x-amzn-requestid']

/** The API that a URL belongs to; null when it is no model call. */
export const apiOf = (url: string): (typeof APIS)[number][1] | null => {
  const path = url.split(/[?#]/)[0] ?? ''
  return APIS.find(([pattern]) => pattern.test(path))?.[1] ?? null
}

/** The native event of a call. Of its content only hashes and counts are in it. */
export const callEvent = (labels: Labels, call: Call, seen: Seen): object => {
  const { text, firstMs, whole, ...facts } = seen
  return {
    id: randomUUID(),
    source: EMITTER,
    emitter: EMITTER,
    time: new Date(call.startedMs).toISOString(),
    duration_ms: elapsed(call.startedMs, call.endedMs),
    kind: 'llm',
    ...apiOf(call.url),
    ...labels,
    ...askedOf(call, firstMs),
    status: call.status,
    request_id: firstHeader(call.responseHeaders, REQUEST_IDS),
    ...facts,
    error_type: facts.error_type ?? (whole ? null : 'aborted'),
    ...traceOf(call.requestHeaders),
    ...promptIdentity(call.request),
    ...localCounts(textOf(call.request), text)
  }
}

/** What the request itself tells; the first token means something in a stream alone. */
const askedOf = ({ request, startedMs }: Call, firstMs: number | null): object => {
  if (!isJson(request)) return {}
  const isStream = request['stream'] === true && firstMs !== null
  return {
    request_model: typeof request['model'] === 'string' ? request['model'] : null,
    temperature: typeof request['temperature'] === 'number' ? request['temperature'] : null,
    ttft_ms: isStream ? elapsed(startedMs, firstMs) : null
  }
}

const elapsed = (from: number, to: number): number => Math.max(0, Math.round(to - from))

const firstHeader = (headers: Headers | null, names: readonly string[]): string | null =>
  names.map((name) => headers?.get(name) ?? null).find((value) => value !== null) ?? null

/** W3C trace context: version, trace, the span that made the call, flags. */
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-/

const traceOf = (headers: Headers | null): object => {
  const [, trace, span] = TRACEPARENT.exec(headers?.get('traceparent') ?? '') ?? []
  return trace === undefined ? {} : { trace_id: trace, parent_span_id: span }
}
