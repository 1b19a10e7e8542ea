export type IngestCounts = {
  /** Events durable in the log through this run. */
  events: number
  /** Items refused. */
  refused: number
  /** Items that say nothing about usage. */
  ignored: number
  /** Lines read in this run. */
  lines: number
  /** Lines that an earlier run had taken in. */
  skippedLines: number
  /** Stored bytes read, and in all; null for a pipe. */
  readBytes: number
  storedBytes: number | null
}

export const noCounts = (): IngestCounts => ({
  events: 0,
  refused: 0,
  ignored: 0,
  lines: 0,
  skippedLines: 0,
  readBytes: 0,
  storedBytes: null
})
