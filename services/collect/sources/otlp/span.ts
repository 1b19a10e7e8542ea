import type { Attributes } from './attributes.ts'

/** A span as both encodings of OTLP give it. */
export type Span = {
  /** Lower-case hexadecimal; empty when absent. */
  traceId: string
  spanId: string
  parentSpanId: string
  name: string
  /** Nanoseconds since the epoch. */
  startNs: bigint
  endNs: bigint
  attributes: Attributes
  moments: Moment[]
  /** Ids of linked spans. */
  links: string[]
  isError: boolean
  resource: Attributes
  scope: { name: string; version: string }
  /** Where in the request: `resourceSpans[0].scopeSpans[1].spans[2]`. */
  at: string
}

/** An event on a span. */
export type Moment = { name: string; timeNs: bigint; attributes: Attributes }

/** A log record that carries an event of the GenAI conventions. */
export type LogRecord = Pick<Span, 'traceId' | 'spanId' | 'resource' | 'scope' | 'at'> & Moment

/** Status code ERROR of a span. */
export const STATUS_ERROR = 2

const NS_PER_MICROSECOND = 1000n
const NS_PER_MS = 1_000_000n
const MICROSECONDS_PER_MS = 1000n
/** Milliseconds that a Date can hold, so that absurd times are refused as times and not thrown. */
const DATE_MS_MAX = 8_640_000_000_000_000n

/** RFC 3339 with microseconds; the last time that has one for anything later. */
export const timeText = (ns: bigint): string => {
  const microseconds = ns / NS_PER_MICROSECOND
  const ms = ns / NS_PER_MS
  const date = new Date(Number(ms > DATE_MS_MAX ? DATE_MS_MAX : ms))
  const rest = (microseconds % MICROSECONDS_PER_MS).toString().padStart(3, '0')
  return date.toISOString().replace('Z', `${rest}Z`)
}

/** Whole milliseconds between two times, rounded; null when they run backwards. */
export const durationMs = (startNs: bigint, endNs: bigint): number | null =>
  endNs < startNs ? null : Number((endNs - startNs + NS_PER_MS / 2n) / NS_PER_MS)
