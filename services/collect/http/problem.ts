import { FAILURES, Failure, type FailureCode } from '../../../schemas/failure.ts'
import type { Fault } from '../fault.ts'

/** Errors over HTTP: problem details (RFC 9457), one shape for every fault. */
export type Problem = {
  type: string
  title: string
  status: number
  detail: string
  code: FailureCode
  hint?: string
  /** First fault's place and field, repeated at the top for people who read with their eyes. */
  field?: string | null
  seen?: string | null
  nearest?: string | null
  index?: number
  accepted?: number
  /** Every fault found, up to a bound; `faults_total` says how many there were. */
  errors?: readonly Fault[]
  faults_total?: number
}

export const PROBLEM_TYPE = 'application/problem+json'

/** Enough to see a pattern; a sender with more faults than this has one cause. */
const ERRORS_MAX = 100

const STATUSES: Partial<Record<FailureCode, number>> = {
  E_BODY_UNREADABLE: 400,
  E_USAGE: 400,
  E_UNAUTHENTICATED: 401,
  E_FORBIDDEN: 403,
  E_BODY_TOO_LARGE: 413,
  E_MEDIA_TYPE: 415,
  E_EVENT_INVALID: 422,
  E_EVENT_TIME: 422,
  E_BACKPRESSURE: 429,
  E_LOG_UNAVAILABLE: 503,
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

/** The problem of a message whose items are at fault; the first one speaks for all. */
export const faultsProblem = (faults: readonly Fault[], accepted: number): Problem => {
  const [first] = faults
  if (first === undefined) throw new Failure('E_INTERNAL', 'a problem needs a fault')
  const { code, field, seen, nearest, index, at, message } = first
  const others = faults.length > 1 ? ` (and ${faults.length - 1} more)` : ''
  return {
    type: `/problems/${code}`,
    title: FAILURES[code],
    status: statusOf(code),
    detail: `${at} ${message}${others}`,
    code,
    field,
    seen,
    nearest,
    index,
    accepted,
    errors: faults.slice(0, ERRORS_MAX),
    faults_total: faults.length
  }
}
