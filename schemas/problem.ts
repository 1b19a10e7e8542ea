import { FAILURES, type Failure, type FailureCode } from './failure.ts'

/** Errors over HTTP: problem details (RFC 9457), one shape for every service. */
export type Problem = {
  type: string
  title: string
  status: number
  detail: string
  code: FailureCode
  hint?: string
}

export const PROBLEM_TYPE = 'application/problem+json'

const STATUSES: Partial<Record<FailureCode, number>> = {
  E_BODY_UNREADABLE: 400,
  E_USAGE: 400,
  E_SQL: 400,
  E_UNAUTHENTICATED: 401,
  E_FORBIDDEN: 403,
  E_NOT_FOUND: 404,
  E_BODY_TOO_LARGE: 413,
  E_MEDIA_TYPE: 415,
  E_EVENT_INVALID: 422,
  E_EVENT_TIME: 422,
  E_SCHEMA_UNKNOWN: 422,
  E_QUERY_LIMIT: 422,
  E_BACKPRESSURE: 429,
  E_WARMING: 503,
  E_LOG_UNAVAILABLE: 503,
  E_LAKE_MISSING: 503,
  E_DISK_FULL: 503
}

export const statusOf = (code: FailureCode): number => STATUSES[code] ?? 500

export const problemOf = (failure: Failure): Problem => ({
  type: `/problems/${failure.code}`,
  title: FAILURES[failure.code],
  status: statusOf(failure.code),
  detail: failure.message,
  code: failure.code,
  ...(failure.hint === undefined ? {} : { hint: failure.hint })
})
