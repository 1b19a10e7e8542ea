import { binValueSql } from '../../schemas/histogram.ts'
import { EXPLORE_DIMENSIONS } from './cube/dimensions.ts'
import { MEASURES, type Measure } from './cube/measures.ts'
import { mergeBins, quantileOf, wholeOf, type Merged } from './quantiles.ts'
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

const measuresById = new Map(MEASURES.map((one) => [one.id, one]))
const measureOf = (id: string): Measure => measuresById.get(id)!
const dimensionSql = (id: string): string => EXPLORE_DIMENSIONS.find((one) => one.id === id)!.sql

/** Groups, largest first by the first measure. */
export const groupsSql = (cut: Cut, limit: number): string => {
  const [first = 'calls'] = cut.measures
  const order = [`"${first}" DESC NULLS LAST`, ...cut.by.map((name) => `"${name}" NULLS LAST`)]
  return `${cutSql(cut, [])}\nORDER BY ${order.join(', ')} LIMIT ${limit}`
}

/** Groups by step of time. */
export const seriesSql = (cut: Cut, stepS: number): string =>
  `${cutSql(cut, timesOf(stepS))}\nORDER BY "time"`

const timesOf = (stepS: number | null): string[] =>
  stepS === null
    ? []
    : [`epoch(time_bucket(INTERVAL ${stepS} SECONDS, window_start))::BIGINT AS "time"`]

/** One statement: sums, joined with the quantiles of merged histograms where any are asked for. */
const cutSql = (cut: Cut, times: readonly string[]): string => {
  const keys = [...times, ...cut.by.map((id) => `${dimensionSql(id)} AS "${id}"`)]
  const names = [...(times.length > 0 ? ['time'] : []), ...cut.by]
  const measures = cut.measures.map(measureOf)
  const sums = measures.flatMap((one) => ('sql' in one ? [`${one.sql} AS "${one.id}"`] : []))
  const from = `FROM windows\nWHERE ${whereOf(cut)}`
  const groupedBy = (selected: readonly string[]): string =>
    `SELECT ${[...keys, ...selected].join(', ')}\n${from}\nGROUP BY ALL`
  const histograms = new Set(measures.flatMap((one) => ('histogram' in one ? [one.histogram] : [])))
  if (histograms.size === 0) return groupedBy(sums)
  const quantiles = [...histograms].map((histogram, index) =>
    joined(quantileSql({ histogram, measures, keys, names, from }), `q${index}`, names)
  )
  // By name: with `*` all dimensions would be read, and a group without a sum needs one to be there.
  const named = [...names.map((name) => `g."${name}"`), ...measures.map(({ id }) => `"${id}"`)]
  return `SELECT ${named.join(', ')} FROM (${groupedBy([...sums, 'sum(n) AS "_calls"'])}) AS g ${quantiles.join(' ')}`
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

/** Groups as `groupsSql` finds them, and the same measures over everything. */
export const readGroups = async (
  desk: Desk,
  cut: Cut,
  limit: number
): Promise<{ groups: Found[]; total: Group['values'] }> => {
  const asked = async (one: Cut, groups: number): Promise<Found[]> =>
    one.measures.length === 0
      ? []
      : foundIn(one, await desk.windows(one.range, groupsSql(one, groups), null))
  if (!hasQuantiles(cut)) {
    const groups = await asked(cut, limit)
    const [whole] = await asked({ ...cut, by: [] }, 1)
    return { groups, total: whole?.values ?? {} }
  }
  const { found, merged } = await mergedGroups(desk, cut, { stepS: null, limit })
  const sums = cut.measures.filter((id) => !('histogram' in measureOf(id)))
  const [whole] = await asked({ ...cut, by: [], measures: sums }, 1)
  const total: Group['values'] = { ...whole?.values }
  // The bins of all groups are those of everything: nothing is read twice.
  for (const [histogram, bins] of merged)
    fill(total, quantilesIn(cut, histogram), wholeOf(bins.values()))
  return { groups: found.sort(largestFirst(cut)).slice(0, limit), total }
}

/** Groups by step of time as `seriesSql` finds them. */
export const readPoints = async (desk: Desk, cut: Cut, stepS: number): Promise<Found[]> =>
  hasQuantiles(cut)
    ? (await mergedGroups(desk, cut, { stepS, limit: null })).found.sort(
        (a, b) => a.timeS! - b.timeS!
      )
    : foundIn(cut, await desk.windows(cut.range, seriesSql(cut, stepS), stepS))

/** A group, with the start of its step in seconds since the epoch where it has one. */
export type Found = Group & { timeS: number | null }

/** Keys and values under their ids. */
const foundIn = (cut: Cut, rows: readonly Row[]): Found[] =>
  rows.map((row) => ({
    key: Object.fromEntries(cut.by.map((id) => [id, textOf(row[id])])),
    values: Object.fromEntries(cut.measures.map((id) => [id, numberOf(row[id])])),
    timeS: numberOf(row['time'])
  }))

const hasQuantiles = ({ measures }: Cut): boolean =>
  measures.some((id) => 'histogram' in measureOf(id))

type Bins = Map<number, Merged>

/** `limit`: how many of the largest groups are asked for, null = all. */
type Asked = { stepS: number | null; limit: number | null }

/**
 * What the cut's statement gives, in no order, with the histograms merged outside of the database.
 * Groups that cannot be among the largest may be missing, not so their bins.
 */
const mergedGroups = async (
  desk: Desk,
  cut: Cut,
  { stepS, limit }: Asked
): Promise<{ found: Found[]; merged: Map<string, Bins> }> => {
  const keys = [...timesOf(stepS), ...cut.by.map((id) => `${dimensionSql(id)} AS "${id}"`)]
  const hashed = keys.map((key) => key.slice(0, key.lastIndexOf(' AS ')))
  // 53 bits are exact as a double. Without keys there is one group, also of nothing.
  const group = keys.length === 0 ? '0::DOUBLE' : `(hash(${hashed.join(', ')}) >> 11)::DOUBLE`
  const measures = cut.measures.map(measureOf)
  const from = `FROM windows WHERE ${whereOf(cut)}`
  const merged = new Map<string, Bins>()
  for (const histogram of new Set(measures.flatMap(histogramOf))) {
    const sql = `SELECT ${group}, map_keys(${histogram}), map_values(${histogram})::DOUBLE[] ${from}`
    merged.set(histogram, await mergeBins(desk.windowLists(cut.range, sql, stepS)))
  }
  const largest = limit === null ? null : largestOf(cut, merged, limit)
  const only = largest === null ? '' : ` AND ${group} IN (${largest.join(', ')})`
  const sums = measures.flatMap((one) => ('sql' in one ? [`${one.sql} AS "${one.id}"`] : []))
  const named = keys.length === 0 ? [] : [`${group} AS "_group"`, ...keys]
  const select = [...named, ...sums, 'sum(n)::DOUBLE AS "_calls"'].join(', ')
  const rows = await desk.windows(cut.range, `SELECT ${select} ${from}${only} GROUP BY ALL`, stepS)
  const found = foundIn(cut, rows)
  const groups = rows.map((row) => numberOf(row['_group']) ?? 0)
  for (const [histogram, bins] of merged) {
    const quantiles = quantilesIn(cut, histogram)
    for (const [index, { values }] of found.entries())
      fill(values, quantiles, bins.get(groups[index]!))
  }
  return { found, merged }
}

/**
 * The groups with the `limit` largest values of the first measure and those that are equal to the
 * last of them; null where it is no quantile, or too few have one.
 */
const largestOf = (cut: Cut, merged: ReadonlyMap<string, Bins>, limit: number): number[] | null => {
  const first = measureOf(cut.measures[0]!)
  if (!('histogram' in first) || cut.by.length === 0) return null
  const percent = percentOf(first)
  const valued = [...merged.get(first.histogram)!]
    .map(([group, bins]) => ({ group, value: quantileOf(bins, percent) ?? -Infinity }))
    .sort((a, b) => b.value - a.value)
  const least = valued[limit - 1]?.value ?? -Infinity
  if (least === -Infinity) return null
  return valued.filter(({ value }) => value >= least).map(({ group }) => group)
}

const histogramOf = (measure: Measure): string[] =>
  'histogram' in measure ? [measure.histogram] : []

const percentOf = ({ quantile }: { quantile: number }): number => Math.round(quantile * 100)

type Quantile = { id: string; percent: number }

/** The quantiles of one histogram that a cut asks for. */
const quantilesIn = (cut: Cut, histogram: string): Quantile[] =>
  cut.measures
    .map(measureOf)
    .flatMap((one) =>
      'histogram' in one && one.histogram === histogram
        ? [{ id: one.id, percent: percentOf(one) }]
        : []
    )

const fill = (
  values: Group['values'],
  quantiles: readonly Quantile[],
  bins: Merged | undefined
): void => {
  for (const { id, percent } of quantiles)
    values[id] = bins === undefined ? null : quantileOf(bins, percent)
}

/** The order of `groupsSql`: by the first measure, then by the keys; null last. */
const largestFirst = (cut: Cut): ((a: Found, b: Found) => number) => {
  const first = cut.measures[0]!
  return (a, b) => {
    const [one, other] = [a.values[first] ?? -Infinity, b.values[first] ?? -Infinity]
    if (one !== other) return other - one
    for (const id of cut.by) {
      const order = nullsLast(a.key[id] ?? null, b.key[id] ?? null)
      if (order !== 0) return order
    }
    return 0
  }
}

/** Texts by their bytes, as the database orders them. */
const nullsLast = (a: string | null, b: string | null): number => {
  if (a === null || b === null) return Number(a === null) - Number(b === null)
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b))
}
