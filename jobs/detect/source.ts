import type { Texts } from '../../services/signals/define.ts'

/**
 * What detection needs of a database, and nothing more: the lake's reader and the in-memory
 * database of a backtest both fit. Statements are the signals' SQL wrapped by `slice.ts`.
 */
export type DetectSource = {
  /** Runs one statement for its effect; temporary tables only, and they must outlive the call. */
  run: (sql: string) => Promise<void>
  /** The same for a statement that copies rows, which may be wide: see `copyRows`. */
  copy: (sql: string) => Promise<void>
  /**
   * A result by columns: DOUBLE as Float64Array with NaN for null, VARCHAR as texts. Where `memory`
   * is given, its arrays are used again for the numbers.
   */
  whole: (
    sql: string,
    memory?: Map<string, Float64Array>
  ) => Promise<{
    rows: number
    numbers: Readonly<Record<string, Float64Array>>
    texts: Readonly<Record<string, Texts>>
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
