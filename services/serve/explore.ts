import { binValueSql } from '../../schemas/histogram.ts'
import { EXPLORE_DIMENSIONS } from './cube/dimensions.ts'
import { MEASURES, type Measure } from './cube/measures.ts'
import type { Row } from '../lake/engine.ts'
import type { Desk } from './desk.ts'
import { numberOf, textOf } from './result.ts'
import { withinSql, type Range } from './range.ts'

/** Measures by dimensions over a range: the SQL, and rows as answers carry them. */

export type Cut = {
  range: Range
  measures: readonly string[]
  by: readonly string[]
  /** Conditions over `windows`. */
  where: readonly string[]
}

export type Group = { key: Record<string, string | null>; values: Record<string, number | null> }

const measureOf = (id: string): Measure => MEASURES.find((one) => one.id === id)!
const dimensionSql = (id: string): string => EXPLORE_DIMENSIONS.find((one) => one.id === id)!.sql

/** Groups, largest first by the first measure. */
export const groupsSql = (cut: Cut, limit: number): string => {
  const [first = 'calls'] = cut.measures
  const order = [`"${first}" DESC NULLS LAST`, ...cut.by.map((name) => `"${name}" NULLS LAST`)]
  return `${cutSql(cut, [])}\nORDER BY ${order.join(', ')} LIMIT ${limit}`
}

/** Groups by step of time. */
export const seriesSql = (cut: Cut, stepS: number): string =>
  `${cutSql(cut, [`epoch(time_bucket(INTERVAL ${stepS} SECONDS, window_start))::BIGINT AS "time"`])}\nORDER BY "time"`

/** One statement: sums, joined with the quantiles of merged histograms where any are asked for. */
const cutSql = (cut: Cut, times: readonly string[]): string => {
  const keys = [...times, ...cut.by.map((id) => `${dimensionSql(id)} AS "${id}"`)]
  const names = [...(times.length > 0 ? ['time'] : []), ...cut.by]
  const measures = cut.measures.map(measureOf)
  const sums = measures.flatMap((one) => ('sql' in one ? [`${one.sql} AS "${one.id}"`] : []))
  const from = `FROM windows\nWHERE ${whereOf(cut)}`
  const grouped = `SELECT ${[...keys, ...sums, 'sum(n)::DOUBLE AS "_calls"'].join(', ')}\n${from}\nGROUP BY ALL`
  const histograms = new Set(measures.flatMap((one) => ('histogram' in one ? [one.histogram] : [])))
  if (histograms.size === 0) return `SELECT * EXCLUDE ("_calls") FROM (${grouped})`
  const quantiles = [...histograms].map((histogram, index) =>
    joined(quantileSql({ histogram, measures, keys, names, from }), `q${index}`, names)
  )
  return `SELECT * EXCLUDE ("_calls") FROM (${grouped}) AS g ${quantiles.join(' ')}`
}

const whereOf = ({ range, where }: Cut): string =>
  [withinSql(range, 'window_start'), ...where].join(' AND ')

const joined = (sql: string, alias: string, names: readonly string[]): string => {
  if (names.length === 0) return `CROSS JOIN (${sql}) AS ${alias}`
  // USING would drop groups whose key is null.
  const same = names.map((name) => `g."${name}" IS NOT DISTINCT FROM ${alias}."_${name}"`)
  return `LEFT JOIN (${sql}) AS ${alias} ON ${same.join(' AND ')}`
}

type Quantiles = {
  histogram: string
  measures: readonly Measure[]
  keys: readonly string[]
  names: readonly string[]
  from: string
}

/** Bins of all rows are added up; the first bin up to which a share of the counts lies is it. */
const quantileSql = ({ histogram, measures, keys, names, from }: Quantiles): string => {
  const own = names.map((name) => `"${name}"`)
  const partition = own.length === 0 ? '' : `PARTITION BY ${own.join(', ')}`
  const columns = measures.flatMap((one) =>
    'histogram' in one && one.histogram === histogram
      ? [`${binValueSql(`min(bin) FILTER (upto >= ${one.quantile} * total)`)} AS "${one.id}"`]
      : []
  )
  const renamed = names.map((name) => `"${name}" AS "_${name}"`)
  return `SELECT ${[...renamed, ...columns].join(', ')} FROM (
  SELECT *, sum(n) OVER (${partition} ORDER BY bin) AS upto, sum(n) OVER (${partition}) AS total
  FROM (SELECT ${[...own, 'entry.key AS bin', 'sum(entry.value) AS n'].join(', ')}
    FROM (SELECT ${[...keys, `unnest(map_entries(${histogram})) AS entry`].join(', ')} ${from}) GROUP BY ALL)
) GROUP BY ALL`
}

/** Runs a cut's statement, with its step of time if it has one; keys and values under their ids. */
export const readGroups = async (
  desk: Desk,
  cut: Cut,
  sql: string,
  stepS: number | null
): Promise<(Group & { row: Row })[]> => {
  const rows = await desk.windows(cut.range, sql, stepS)
  return rows.map((row) => ({
    key: Object.fromEntries(cut.by.map((id) => [id, textOf(row[id])])),
    values: Object.fromEntries(cut.measures.map((id) => [id, numberOf(row[id])])),
    row
  }))
}
