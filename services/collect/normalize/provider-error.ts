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
  const failed = http?.status !== null && http?.status !== undefined && http.status >= 400
  const holder = Array.isArray(body) ? (body as unknown[])[0] : body
  const parts = isObject(holder) ? partsOf(holder, failed) : null
  if (parts === null && !failed) return null
  const known = parts ?? NOTHING
  const status = http?.status ?? known.status
  return {
    class: classOf(known, status),
    type: known.type ?? known.statusText,
    code: known.code,
    status,
    retry_after_ms: retryAfter(known, http?.headers ?? null),
    request_id: requestId(holder, http?.headers ?? null)
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
  const failure = objectAt(body, 'last_error')
  if (failure !== null) return fromObject(failure)
  const isError =
    body['object'] === 'error' || body['type'] === 'error' || body['__type'] !== undefined
  if (isError) return fromObject(body)
  const detail = body['detail']
  if (typeof detail === 'string' && bare(body)) return { ...NOTHING, message: detail }
  if (Array.isArray(detail) && bare(body)) return { ...NOTHING, type: 'validation' }
  const message = textOf(body, 'message') ?? textOf(body, 'Message')
  return message !== null && (failed || bare(body)) ? fromObject(body) : null
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

const bare = (body: Json): boolean => Object.keys(body).every((key) => ERROR_KEYS.includes(key))

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
    message: textOf(error, 'message') ?? '',
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
  [/not_found|NOT_FOUND|NotFound|ResourceNotFound|DeploymentNotFound|does not exist/i, 'not_found'],
  [/too_large|PayloadTooLarge|request_too_large/i, 'too_large'],
  [/timeout|DEADLINE_EXCEEDED|timed out/i, 'timeout'],
  [/cancel|abort/i, 'cancelled'],
  [
    /invalid|unsupported|unknown_parameter|validation|INVALID_ARGUMENT|BadRequest|malformed/i,
    'invalid'
  ],
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
  const words = [parts.inner, parts.code, parts.type, parts.statusText].join(' ')
  const named = lookUp(words)
  const message = lookUp(parts.message.slice(0, MESSAGE_SEARCHED_MAX))
  if (named === 'context_length' || named === 'content_filter' || named === 'quota') return named
  if (isClientFault(named, status) && (message === 'context_length' || message === 'billing')) {
    return message
  }
  const byStatus = status === null ? undefined : STATUS_CLASSES[status]
  if (named !== null && (named !== 'invalid' || byStatus === undefined)) return named
  if (byStatus !== undefined) return byStatus
  if (status !== null && status >= 500) return 'server'
  return named ?? message ?? (status === null ? 'unknown' : 'invalid')
}

const isClientFault = (named: ErrorClass | null, status: number | null): boolean =>
  named === 'invalid' || status === 400 || status === 413 || (named === null && status === null)

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
