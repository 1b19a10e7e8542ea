import { quotedList, SUMS } from './columns.ts'

/**
 * Rows of `from` put together by file, hour and `dimensions`: sums added up, and the bins of
 * histograms. The maps of a group are gathered first and taken apart by its number, so that
 * nothing is ever joined by a dozen names.
 */
export const mergeSql = (
  from: string,
  dimensions: readonly string[],
  histograms: readonly string[]
): string => {
  const keys = ['file', 'window_start', ...dimensions]
  const sums = SUMS.map((name) => `TRY_CAST(sum("${name}") AS BIGINT) AS "${name}"`)
  const bins = histograms.map(
    (name) => `flatten(list(map_entries("${name}")) FILTER ("${name}" IS NOT NULL)) AS "${name}"`
  )
  const grouped = `SELECT ${[quotedList(keys), ...sums, ...bins].join(', ')} FROM ${from} GROUP BY ALL`
  if (histograms.length === 0) return grouped
  const merged = histograms.map(
    (name) => `"merged_${name}" AS (
  SELECT number, map(list(bin ORDER BY bin), list(n ORDER BY bin)) AS hist FROM (
    SELECT number, entry.key AS bin, sum(entry.value)::BIGINT AS n
    FROM (SELECT number, unnest("${name}") AS entry FROM grouped) GROUP BY ALL
  ) GROUP BY number)`
  )
  const columns = histograms.map((name) => `"merged_${name}".hist AS "${name}"`)
  const joins = histograms.map((name) => `LEFT JOIN "merged_${name}" USING (number)`)
  return `WITH grouped AS MATERIALIZED (SELECT row_number() OVER () AS number, * FROM (${grouped})),
${merged.join(',\n')}
SELECT ${[quotedList(keys), quotedList(SUMS), ...columns].join(', ')} FROM grouped ${joins.join(' ')}`
}
