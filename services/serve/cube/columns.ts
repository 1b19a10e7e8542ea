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

/** What the table is made of; a file that was written for another shape is of no use. */
export const HOURS_SHAPE = ['rollups 4', ...DIMENSIONS, ...SUMS, ...HISTOGRAMS].join(',')

/** Hours of settled windows; histograms as in the lake's settled windows. */
export const HOURS_TABLE = `CREATE TABLE IF NOT EXISTS cube.hours (file VARCHAR, ${columnList('window_start')},
  ${HISTOGRAMS.map((name) => `"${name}" MAP(SMALLINT, BIGINT)`).join(', ')})`

/** Minutes that are not settled yet, as flushes landed them; histograms are lists of bins. */
export const FRESH_TABLE = `CREATE TABLE live.fresh (file VARCHAR, version BIGINT, ${columnList('window_start')},
  ${HISTOGRAMS.map((name) => `"${name}" SMALLINT[]`).join(', ')})`

export const quotedList = (names: readonly string[]): string =>
  names.map((name) => `"${name}"`).join(', ')
