import type { TableName } from '../../schemas/tables.ts'

/**
 * What one commit of the lake says. The Delta table `ranges` holds these commits one after the
 * other; the state of the whole lake (`Head`) is the fold over them, and nothing else decides.
 */

/** A stretch of one partition that a flush covers. */
export type Range = {
  topic: string
  partition: number
  incarnation: string
  first: number
  next: number
  /** The last record, to recognise the same log again; null when the range held no record. */
  anchor: { offset: number; crc32c: number } | null
  /** Latest append time seen so far in the partition, milliseconds since the epoch. */
  appendedUntilMs: number | null
  /**
   * Latest event time seen so far in the partition, never beyond its append time, milliseconds
   * since the epoch: how far the partition's events have come. Null before the first record.
   */
  watermarkMs: number | null
}

/** A file that a commit makes visible. */
export type TableFile = {
  table: TableName
  /** Relative to the table's folder. */
  path: string
  bytes: number
  sha256: string
  /** Tells which bit flipped; absent in files that were committed before there was one. */
  crc32c?: number
  rows: number
  /** Smallest and largest event time (or window start) in the file, microseconds; null = none. */
  timeUsMin: number | null
  timeUsMax: number | null
}

export type Commit = {
  kind:
    | 'flush'
    | 'settle'
    | 'detect'
    | 'alert'
    | 'adopt'
    | 'retain'
    | 'pin'
    | 'charge'
    | 'close'
    | 'meter'
  generation: string
  ranges: readonly Range[]
  adds: readonly TableFile[]
  removes: readonly { table: TableName; path: string }[]
  /**
   * Small state that rides in the commit and replaces earlier values of the same key; null
   * deletes. Examples: `hour/2026-01-01T00` → the version through which the hour is settled,
   * `fold/cache-thrash` → position of the detector. Values are JSON.
   */
  state: Readonly<Record<string, unknown>>
}

/** A commit that changes nothing: what others start from. */
export const NOTHING: Commit = {
  kind: 'adopt',
  generation: '',
  ranges: [],
  adds: [],
  removes: [],
  state: {}
}

/** A file as the head knows it: with the version that added it, and when that was. */
export type LiveFile = TableFile & { version: number; committedMs: number }

/** The state of the lake at one version of `ranges`: a pure fold over its commits. */
export type Head = {
  /** −1 for an empty lake. */
  version: number
  /** By `topic/partition`. */
  positions: ReadonlyMap<string, Range>
  files: ReadonlyMap<TableName, ReadonlyMap<string, LiveFile>>
  state: ReadonlyMap<string, unknown>
}
