/**
 * Every error that leaves a part of the product. The table below is the documentation of the
 * codes; tests assert codes, never messages.
 */
export const FAILURES = {
  E_USAGE: 'The command line, the configuration or a parameter is wrong.',
  E_EVENT_INVALID: 'An event does not satisfy the schema.',
  E_EVENT_TIME: 'An event lies outside the accepted range of times.',
  E_BODY_TOO_LARGE: 'A request body, plain or decompressed, exceeds its limit.',
  E_MEDIA_TYPE: 'The content type or encoding of a request is not taken here.',
  E_BODY_UNREADABLE: 'A request body can not be decoded as its content type says.',
  E_UNAUTHENTICATED: 'No valid API key was given.',
  E_FORBIDDEN: 'The API key lacks the scope for this.',
  E_NOT_FOUND: 'Nothing is there under this address or id.',
  E_BACKPRESSURE: 'The service can not take more at the moment.',
  E_WARMING: 'The settled data of this range is still being read.',
  E_LOG_UNAVAILABLE: 'The event log can not be reached.',
  E_LOG_TRUNCATED: 'The log no longer holds the record that was read last.',
  E_LOG_RECREATED: 'The topic is not the one that was read before.',
  E_LOG_GAP: 'Records were removed from the log before they were read.',
  E_LOG_CORRUPT: 'A record or batch fails its checksum.',
  E_RECORD_UNREADABLE: 'A record in the log can not be decoded.',
  E_SCHEMA_UNKNOWN: 'A record carries the fingerprint of an unknown schema.',
  E_LAKE_CONFLICT: 'Another writer committed first.',
  E_LAKE_CORRUPT: 'A file of the lake does not match its recorded hash.',
  E_LAKE_MISSING: 'The folder holds no lake.',
  E_DISK_FULL: 'No space is left on the device of the lake or log.',
  E_SQL: 'A query was refused or failed.',
  E_QUERY_LIMIT: 'A query exceeded its limit of time, rows or memory.',
  E_PRICE_BOOK: 'A price table is malformed.',
  E_FACTOR_TABLE: 'An energy or grid factor table is malformed.',
  E_CLOSE_REFUSED: 'A month can not be closed as it stands.',
  E_BILL_UNREADABLE: 'A bill can not be read by its documented schema.',
  E_ALERT_REJECTED: 'The receiver of an alert refused it.',
  E_ALERT_UNREACHABLE: 'The receiver of an alert can not be reached.',
  E_INTERNAL: 'A defect of the product.'
} as const

export type FailureCode = keyof typeof FAILURES

type FailureDetail = {
  /** What to do about it. */
  hint?: string
  /** Whether the same call may succeed later. */
  retriable?: boolean
  cause?: unknown
}

export class Failure extends Error {
  readonly code: FailureCode
  readonly retriable: boolean
  readonly hint: string | undefined

  constructor(code: FailureCode, message: string, detail: FailureDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    this.name = 'Failure'
    this.code = code
    this.retriable = detail.retriable ?? false
    this.hint = detail.hint
  }
}
