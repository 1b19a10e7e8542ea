import { isHistogram, WINDOW_DIMENSIONS, WINDOW_MEASURES } from '../../../schemas/windows.ts'

/** Columns of the cube by what becomes of them when rows are put together. */

export const DIMENSIONS: readonly string[] = WINDOW_DIMENSIONS.map(({ name }) => name)
export const SUMS: readonly string[] = WINDOW_MEASURES.filter((one) => !isHistogram(one)).map(
  ({ name }) => name
)
export const HISTOGRAMS: readonly string[] = WINDOW_MEASURES.filter(isHistogram).map(
  ({ name }) => name
)

/** Sums of products: those of a fleet's day are beyond 64 bits where those of a minute are not. */
const WIDE = new Set(
  WINDOW_MEASURES.filter(({ sql }) => sql.includes(' * ')).map(({ name }) => name)
)
export const sumType = (name: string): 'HUGEINT' | 'BIGINT' =>
  WIDE.has(name) ? 'HUGEINT' : 'BIGINT'

export const HISTOGRAM_TYPE = 'MAP(SMALLINT, BIGINT)'

/** Minutes that are not settled yet, as flushes landed them; histograms are lists of bins. */
export const FRESH_TABLE = `CREATE TABLE live.fresh (file VARCHAR, version BIGINT, window_start TIMESTAMPTZ,
  ${[
    ...DIMENSIONS.map((name) => `"${name}" VARCHAR`),
    ...SUMS.map((name) => `"${name}" BIGINT`),
    ...HISTOGRAMS.map((name) => `"${name}" SMALLINT[]`)
  ].join(', ')})`

export const quotedList = (names: readonly string[]): string =>
  names.map((name) => `"${name}"`).join(', ')
