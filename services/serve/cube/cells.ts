import { sqlTime } from '../literal.ts'
import type { Range } from '../range.ts'
import { HISTOGRAMS, quotedList, SUMS } from './columns.ts'
import type { Rollup } from './rollups.ts'

/**
 * Rows of one tenant, or of all where the engine is bound to none. The binding is a variable of
 * the engine, set before each answer: no text of a route can leave it out.
 */
export const BOUND = "(getvariable('tenant') IS NULL OR tenant = getvariable('tenant'))"

/** For relations without tenants: all rows, or none where the engine is bound to a tenant. */
const UNBOUND = "getvariable('tenant') IS NULL"

/**
 * The cube in a range as one relation, whose columns have the names of the lake's view `windows`.
 * @param minutes files of settled windows by the minute; null = hours are enough.
 */
export const cellsSql = (
  range: Range,
  { table, dimensions, histograms }: Rollup,
  minutes: readonly string[] | null
): string => {
  const bound = dimensions.includes('tenant') ? BOUND : UNBOUND
  const within = `window_start >= ${sqlTime(range.fromMs)} AND window_start < ${sqlTime(range.toMs)} AND ${bound}`
  const columns = ['window_start', ...dimensions, ...SUMS]
  const settled = [quotedList(columns), ...(histograms ? [quotedList(HISTOGRAMS)] : [])].join(', ')
  const merged = HISTOGRAMS.map(
    (name) => `list_aggregate("${name}", 'histogram')::MAP(SMALLINT, BIGINT) AS "${name}"`
  )
  const fresh = [quotedList(columns), ...(histograms ? merged : [])].join(', ')
  return `SELECT ${settled}, false AS provisional FROM ${settledFrom(table, minutes)} WHERE ${within}
    UNION ALL SELECT ${fresh}, true AS provisional FROM live.fresh WHERE ${within}`
}

const settledFrom = (table: string, minutes: readonly string[] | null): string => {
  if (minutes === null) return table
  // No file in the range: the hours' table has the same columns, and no row of the range either.
  if (minutes.length === 0) return '(FROM cube.hours WHERE false)'
  return `read_parquet([${minutes.join(', ')}], union_by_name = true)`
}
