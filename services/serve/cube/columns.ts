import { isHistogram, WINDOW_DIMENSIONS, WINDOW_MEASURES } from '../../../schemas/windows.ts'

/** Columns of the cube by what becomes of them when rows are put together. */

export const DIMENSIONS: readonly string[] = WINDOW_DIMENSIONS.map(({ name }) => name)
export const SUMS: readonly string[] = WINDOW_MEASURES.filter((one) => !isHistogram(one)).map(
  ({ name }) => name
)
export const HISTOGRAMS: readonly string[] = WINDOW_MEASURES.filter(isHistogram).map(
  ({ name }) => name
)

const columnList = (time: string): string =>
  [
    `${time} TIMESTAMPTZ`,
    ...DIMENSIONS.map((name) => `"${name}" VARCHAR`),
    ...SUMS.map((name) => `"${name}" BIGINT`)
  ].join(', ')

/** Hours of settled windows; histograms as in the lake's settled windows. */
export const HOURS_TABLE = `CREATE TABLE IF NOT EXISTS cube.hours (file VARCHAR, ${columnList('window_start')},
  ${HISTOGRAMS.map((name) => `"${name}" MAP(SMALLINT, BIGINT)`).join(', ')})`

/** Minutes that are not settled yet, as flushes landed them; histograms are lists of bins. */
export const FRESH_TABLE = `CREATE TABLE IF NOT EXISTS cube.fresh (file VARCHAR, version BIGINT, ${columnList('window_start')},
  ${HISTOGRAMS.map((name) => `"${name}" SMALLINT[]`).join(', ')})`

/** Sums the measures of a relation at the grain of hours, without histograms. */
export const hourSums = (from: string): string =>
  `SELECT date_trunc('hour', window_start) AS window_start, ${quotedList(DIMENSIONS)},
     ${SUMS.map((name) => `TRY_CAST(sum("${name}") AS BIGINT) AS "${name}"`).join(', ')}
   FROM ${from} GROUP BY ALL`

export const quotedList = (names: readonly string[]): string =>
  names.map((name) => `"${name}"`).join(', ')
