import { DIMENSIONS, HISTOGRAM_TYPE, HISTOGRAMS, quotedList, SUMS, sumType } from './columns.ts'

/** Columns whose every value is known without looking: null or zero. */
export type Constants = ReadonlyMap<string, 'NULL' | '0'>
export const NONE: Constants = new Map()

/**
 * Rows of `from` put together by `keys`: sums added up, and the bins of histograms. The bins of a
 * group are gathered first and added up by its number, so that nothing is ever joined by a dozen
 * names. A sum that does not fit its column is an error: it must not become a gap in silence.
 */
export const mergeSql = (from: string, keys: readonly string[], constants: Constants): string => {
  const varies = (name: string): boolean => !constants.has(name)
  const own = keys.filter(varies)
  const histograms = HISTOGRAMS.filter(varies)
  const sums = SUMS.filter(varies).map((name) => `sum("${name}")::${sumType(name)} AS "${name}"`)
  const output = [...keys, ...SUMS, ...HISTOGRAMS].map((name) => {
    if (!varies(name)) return `${constants.get(name)}::${typeOf(name)} AS "${name}"`
    return histograms.includes(name) ? `"merged_${name}".hist AS "${name}"` : `"${name}"`
  })
  const grouped = `grouped AS MATERIALIZED (SELECT row_number() OVER () AS number, * FROM (
    SELECT ${[quotedList(own), ...sums, ...histograms.flatMap(binsSql)].join(', ')} FROM ${from} GROUP BY ${quotedList(own)}))`
  const joins = histograms.map((name) => `LEFT JOIN "merged_${name}" USING (number)`)
  return `WITH ${[grouped, ...histograms.map(mergedSql)].join(',\n')}
SELECT ${output.join(', ')} FROM grouped ${joins.join(' ')}`
}

const typeOf = (name: string): string => {
  if (HISTOGRAMS.includes(name)) return HISTOGRAM_TYPE
  return DIMENSIONS.includes(name) ? 'VARCHAR' : sumType(name)
}

const binsSql = (name: string): string[] =>
  ['keys', 'values'].map(
    (part) =>
      `flatten(list(map_${part}("${name}")) FILTER ("${name}" IS NOT NULL)) AS "${name}_${part}"`
  )

const mergedSql = (name: string): string => `"merged_${name}" AS (
  SELECT number, map(list(bin), list(n))::${HISTOGRAM_TYPE} AS hist FROM (
    SELECT number, bin, sum(n) AS n
    FROM (SELECT number, unnest("${name}_keys") AS bin, unnest("${name}_values") AS n FROM grouped)
    GROUP BY ALL
  ) GROUP BY number)`
