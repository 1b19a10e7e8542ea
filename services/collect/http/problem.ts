import { FAILURES, Failure } from '../../../schemas/failure.ts'
import { statusOf, type Problem } from '../../../schemas/problem.ts'
import type { Fault } from '../fault.ts'

/** A problem with its faults. */
export type FaultsProblem = Problem & {
  /** First fault's place and field, repeated at the top for people who read with their eyes. */
  field: string | null
  seen: string | null
  nearest: string | null
  index: number
  accepted: number
  /** Every fault found, up to a bound; `faults_total` says how many there were. */
  errors: readonly Fault[]
  faults_total: number
}

/** Enough to see a pattern; a sender with more faults than this has one cause. */
const ERRORS_MAX = 100

/** The problem of a message whose items are at fault; the first one speaks for all. */
export const faultsProblem = (faults: readonly Fault[], accepted: number): FaultsProblem => {
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
