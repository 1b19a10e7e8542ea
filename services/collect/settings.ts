import type { RecordContent } from '../flight/recorder.ts'

/** What a collector allows; each default says why that number. */
export type CollectSettings = {
  /** A batch of 20 k events compressed, or an OTLP batch with content in it. */
  wireBytesMax: number
  /** What the OTLP specification recommends for decompressed bodies. */
  plainBytesMax: number
  /** Two of the largest bodies at once; beyond it memory would follow the senders' speed. */
  inFlightBytesMax: number
  /** Several seconds of a log that stalls, at 20 k events a second. */
  inFlightEventsMax: number
  /** Keeps the time that one request holds the event loop below half a second. */
  itemsMax: number
  /** Longer than a slow uplink needs for the largest body, shorter than an idle attacker likes. */
  requestTimeoutMs: number
  /** Seconds in Retry-After: about the time in which a stalled disk or broker recovers. */
  retryAfterSeconds: number
  /** Who pays for input that names no tenant and comes without a bound key; null = refused. */
  tenantDefault: string | null
  /** The flight recorder; null drops all content. */
  record: RecordContent | null
}

const MEBIBYTE = 1024 * 1024

export const COLLECT_DEFAULTS: CollectSettings = {
  wireBytesMax: 16 * MEBIBYTE,
  plainBytesMax: 64 * MEBIBYTE,
  inFlightBytesMax: 128 * MEBIBYTE,
  inFlightEventsMax: 100_000,
  itemsMax: 20_000,
  requestTimeoutMs: 60_000,
  retryAfterSeconds: 1,
  tenantDefault: null,
  record: null
}
