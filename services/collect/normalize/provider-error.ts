import { firstOf, isObject, listAt, objectAt, textAt, type Json } from './json.ts'

export type ErrorClass =
  | 'rate_limit'
  | 'quota'
  | 'overloaded'
  | 'auth'
  | 'permission'
  | 'billing'
  | 'not_found'
  | 'context_length'
  | 'content_filter'
  | 'too_large'
  | 'conflict'
  | 'timeout'
  | 'cancelled'
  | 'server'
  | 'invalid'
  | 'unknown'

/** An error as a provider sent it. Messages are content and stay out. */
export type ProviderError = {
  class: ErrorClass
  type: string | null
  code: string | null
  status: number | null
  retry_after_ms: number | null
  request_id: string | null
}

/** What came with the body over HTTP, where the caller knows. */
export type HttpFacts = { status: number | null; headers: Json | null }

type Parts = {
  type: string | null
  code: string | null
  statusText: string | null
  status: number | null
  message: string
  details: readonly unknown[]
  inner: string | null
}

/** Reads an error body of any provider; null where the body is none. Never throws. */
export const readProviderError = (body: unknown, http: HttpFacts | null): ProviderError | null => {
  const failedStatus = http?.status !== null && http?.status !== undefined && http.status >= 400
  const holder = Array.isArray(body) ? (body as unknown[])[0] : body
  const parts = isObject(holder) ? partsOf(holder, failedStatus) : null
  if (parts === null && !failedStatus) return null
  return describe(parts ?? NOTHING, holder, http)
}

const describe = (parts: Parts, holder: unknown, http: HttpFacts | null): ProviderError => {
  const status = http?.status ?? parts.status
  const headers = http?.headers ?? null
  return {
    class: classOf(parts, status),
    type: parts.type ?? parts.statusText,
    code: parts.code,
    status,
    retry_after_ms: retryAfter(parts, headers),
    request_id: requestId(holder, headers)
  }
}

const NOTHING: Parts = {
  type: null,
  code: null,
  statusText: null,
  status: null,
  message: '',
  details: [],
  inner: null
}

const partsOf = (body: Json, failed: boolean): Parts | null => {
  const error = body['error']
  if (isObject(error)) return fromObject(error)
  if (typeof error === 'string' && error !== '') {
    return { ...fromObject(body), message: error, type: textAt(body, 'error_type') }
  }
  return isMarkedError(body) ? fromObject(body) : fromBareBody(body, failed)
}

const isMarkedError = (body: Json): boolean =>
  body['object'] === 'error' || body['type'] === 'error' || body['__type'] !== undefined

/** Bedrock, Cohere and FastAPI servers send nothing but a message. */
const fromBareBody = (body: Json, failed: boolean): Parts | null => {
  const { detail } = body
  const hasMessage = typeof body['message'] === 'string' || typeof body['Message'] === 'string'
  if (!hasMessage && detail === undefined) return null
  if (!failed && !isBare(body)) return null
  if (hasMessage) return fromObject(body)
  if (typeof detail === 'string') return { ...NOTHING, message: detail }
  return Array.isArray(detail) ? { ...NOTHING, type: 'validation' } : null
}

/** Fields beside the message of an error that has no wrapper. */
const ERROR_KEYS = [
  'message',
  'Message',
  'detail',
  'code',
  'type',
  'status',
  'param',
  'id',
  'request_id'
]

const isBare = (body: Json): boolean => Object.keys(body).every((key) => ERROR_KEYS.includes(key))

const textOf = (body: Json, key: string): string | null => {
  const value = body[key]
  return typeof value === 'string' ? value : null
}

const fromObject = (error: Json): Parts => {
  const inner = objectAt(error, 'innererror')
  const code = error['code']
  return {
    type:
      textAt(error, 'type') ?? shapeName(textAt(error, '__type')) ?? textAt(error, 'error_type'),
    code:
      textAt(objectAt(error, 'details'), 'error_code') ??
      (typeof code === 'number' ? String(code) : textAt(error, 'code')),
    statusText: textAt(error, 'status'),
    status: httpStatus(code),
    message: textOf(error, 'message') ?? textOf(error, 'Message') ?? '',
    details: listAt(error, 'details'),
    inner: textAt(inner, 'code')
  }
}

/** `com.amazon.coral#ThrottlingException` → `ThrottlingException`. */
const shapeName = (type: string | null): string | null => type?.split('#').at(-1) ?? null

const httpStatus = (code: unknown): number | null => {
  const value = typeof code === 'string' && /^[45]\d\d$/.test(code) ? Number(code) : code
  return typeof value === 'number' && Number.isInteger(value) && value >= 400 && value < 600
    ? value
    : null
}

/** Words that name a class, tried in order: what is special comes before what is general. */
const WORDS: readonly (readonly [RegExp, ErrorClass])[] = [
  [
    /context.?length|context window|maximum context|prompt is too long|too many (input )?tokens|input is too long/i,
    'context_length'
  ],
  [
    /content.?filter|ResponsibleAI|content_policy|bio_policy|misalignment_policy|safety system/i,
    'content_filter'
  ],
  [/insufficient_quota|exceeded your current quota/i, 'quota'],
  [/billing|credit balance|payment/i, 'billing'],
  [
    /overloaded|ServiceUnavailable|UNAVAILABLE|ModelNotReady|engine_overloaded|capacity/i,
    'overloaded'
  ],
  [
    /rate.?limit|Throttling|RESOURCE_EXHAUSTED|TooManyRequests|too many requests|ServiceQuotaExceeded/i,
    'rate_limit'
  ],
  [
    /authentication|invalid_api_key|UNAUTHENTICATED|UnrecognizedClient|InvalidSignature|ExpiredToken|invalid subscription key|api key/i,
    'auth'
  ],
  [/permission|PERMISSION_DENIED|AccessDenied|forbidden/i, 'permission'],
  [/not.?found|does not exist|no such/i, 'not_found'],
  [/too_large|PayloadTooLarge|request_too_large/i, 'too_large'],
  [/duplicate|conflict/i, 'conflict'],
  [/timeout|DEADLINE_EXCEEDED|timed out/i, 'timeout'],
  [/cancel|abort/i, 'cancelled'],
  [/invalid|not supported|support|unknown_parameter|validation|BadRequest|malformed/i, 'invalid'],
  [/server_error|InternalServer|INTERNAL|api_error|ModelError|ModelStreamError/i, 'server']
]

const STATUS_CLASSES: Readonly<Record<number, ErrorClass>> = {
  400: 'invalid',
  401: 'auth',
  402: 'billing',
  403: 'permission',
  404: 'not_found',
  408: 'timeout',
  409: 'conflict',
  413: 'too_large',
  422: 'invalid',
  424: 'server',
  429: 'rate_limit',
  499: 'cancelled',
  500: 'server',
  502: 'overloaded',
  503: 'overloaded',
  504: 'timeout',
  529: 'overloaded'
}

/** Longest part of a message that is searched: the cause stands at its beginning. */
const MESSAGE_SEARCHED_MAX = 400

/**
 * The native words decide first where they are special (context length, filter, quota), then the
 * HTTP status, then the remaining words, then the message.
 */
const classOf = (parts: Parts, status: number | null): ErrorClass => {
  const named = lookUp([parts.inner, parts.code, parts.type, parts.statusText].join(' '))
  if (named !== null && SPECIAL.includes(named)) return named
  const said = lookUp(parts.message.slice(0, MESSAGE_SEARCHED_MAX))
  if (said !== null && SAID_ONLY.includes(said) && isClientFault(named, status)) return said
  const byStatus = classOfStatus(status)
  if (named !== null && (named !== 'invalid' || byStatus === null)) return named
  return byStatus ?? said ?? 'unknown'
}

/** Classes whose native words are believed before the status. */
const SPECIAL: readonly ErrorClass[] = ['context_length', 'content_filter', 'quota']
/** Classes that some providers tell in the message alone. */
const SAID_ONLY: readonly ErrorClass[] = ['context_length', 'content_filter', 'billing']

const classOfStatus = (status: number | null): ErrorClass | null => {
  if (status === null) return null
  const known = STATUS_CLASSES[status]
  if (known !== undefined) return known
  return status >= 500 ? 'server' : 'invalid'
}

const isClientFault = (named: ErrorClass | null, status: number | null): boolean =>
  named === 'invalid' ||
  status === 400 ||
  status === 413 ||
  status === 429 ||
  (named === null && status === null)

const lookUp = (text: string): ErrorClass | null =>
  WORDS.find(([pattern]) => pattern.test(text))?.[1] ?? null

const retryAfter = (parts: Parts, headers: Json | null): number | null =>
  millis(header(headers, 'retry-after-ms'), 1) ??
  millis(header(headers, 'retry-after'), 1000) ??
  retryInfo(parts.details)

/** `google.rpc.RetryInfo` says `"34.4s"`. */
const retryInfo = (details: readonly unknown[]): number | null => {
  for (const detail of details) {
    const delay = textAt(detail, 'retryDelay')
    if (delay?.endsWith('s') === true) return millis(delay.slice(0, -1), 1000)
  }
  return null
}

/** Longest wait that is believed: a day. */
const RETRY_AFTER_MS_MAX = 86_400_000

const millis = (text: string | null, factor: number): number | null => {
  if (text === null || !/^\d{1,12}(\.\d{1,9})?$/.test(text)) return null
  const value = Math.round(Number(text) * factor)
  return value <= RETRY_AFTER_MS_MAX ? value : null
}

/** Header names come in any case, values as text or as a list of texts. */
const header = (headers: Json | null, name: string): string | null => {
  if (headers === null) return null
  for (const key of Object.keys(headers)) {
    if (key.toLowerCase() !== name) continue
    const value = headers[key]
    const first = Array.isArray(value) ? firstOf({ value }, 'value') : value
    if (typeof first === 'number') return String(first)
    if (typeof first === 'string') return first
  }
  return null
}

const requestId = (body: unknown, headers: Json | null): string | null =>
  textAt(body, 'request_id') ??
  header(headers, 'x-request-id') ??
  header(headers, 'request-id') ??
  header(headers, 'apim-request-id') ??
  header(headers, 'x-amzn-requestid')
