/**
 * What detection needs of a database, and nothing more: the lake's reader and the in-memory
 * database of a backtest both fit. Statements are the signals' SQL wrapped by `slice.ts`.
 */
export type DetectSource = {
  /** Runs one statement for its effect; temporary tables only, and they must outlive the call. */
  run: (sql: string) => Promise<void>
  /** Streams a result by columns: DOUBLE as Float64Array with NaN for null, VARCHAR as strings. */
  columns: (sql: string) => AsyncIterable<{
    rows: number
    columns: Readonly<Record<string, Float64Array | readonly (string | null)[]>>
  }>
}

/**
 * What the names `windows`, `prefixes` and `traces` in a signal's SQL stand for: a relation that
 * can follow FROM, pinned to one version of the lake by whoever gives it. Absent = no such data.
 */
export type Relations = {
  windows: string
  prefixes?: string
  events?: string
}
