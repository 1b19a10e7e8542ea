import type { Range } from '../range.ts'
import { sqlTime } from '../literal.ts'
import { DIMENSIONS, HISTOGRAMS, quotedList, SUMS } from './columns.ts'

/**
 * Rows of one tenant, or of all where the engine is bound to none. The binding is a variable of
 * the engine, set before each answer: no text of a route can leave it out.
 */
export const BOUND = "(getvariable('tenant') IS NULL OR tenant = getvariable('tenant'))"

/** The cube in a range as one relation, named as the view `windows` of the lake names its columns. */
export const cellsSql = (range: Range, settledMinutes: readonly string[] | null): string => {
  const within = `window_start >= ${sqlTime(range.fromMs)} AND window_start < ${sqlTime(range.toMs)} AND ${BOUND}`
  const columns = `window_start, ${quotedList(DIMENSIONS)}, ${quotedList(SUMS)}`
  const settled = `SELECT ${columns}, ${quotedList(HISTOGRAMS)}, false AS provisional FROM ${settledFrom(settledMinutes)} WHERE ${within}`
  const histograms = HISTOGRAMS.map(
    (name) => `list_aggregate("${name}", 'histogram')::MAP(SMALLINT, BIGINT) AS "${name}"`
  )
  const fresh = `SELECT ${columns}, ${histograms.join(', ')}, true AS provisional FROM live.fresh WHERE ${within}`
  return `${settled} UNION ALL ${fresh}`
}

const settledFrom = (minutes: readonly string[] | null): string => {
  if (minutes === null) return 'cube.hours'
  // No file in the range: the hours' table has the same columns, and no row of the range either.
  if (minutes.length === 0) return '(FROM cube.hours WHERE false)'
  return `read_parquet([${minutes.join(', ')}], union_by_name = true)`
}
