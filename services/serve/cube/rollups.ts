import { DIMENSIONS, HISTOGRAMS, quotedList, SUMS } from './columns.ts'

/**
 * The hours again, with fewer dimensions: most questions name none or two of them, and a month of
 * hours without dimensions is 720 rows, however much traffic there was. A question is answered
 * from the smallest of these that has the dimensions its text names.
 */
export type Rollup = { table: string; dimensions: readonly string[]; histograms: boolean }

const MODELS = ['request_model', 'response_model']

const derived = (table: string, dimensions: readonly string[]): Rollup => ({
  table,
  dimensions,
  histograms: false
})

/** From small to large; the last has everything. */
export const ROLLUPS: readonly Rollup[] = [
  derived('cube.hours_all', []),
  derived('cube.hours_model', ['kind', 'provider', 'route', ...MODELS]),
  derived('cube.hours_tenant', ['tenant']),
  derived('cube.hours_tenant_model', ['tenant', 'provider', ...MODELS]),
  { table: 'cube.hours', dimensions: DIMENSIONS, histograms: true }
]

export const DERIVED: readonly Rollup[] = ROLLUPS.filter(({ histograms }) => !histograms)

/** The smallest that can answer a query; `always` are dimensions that it needs whatever its text. */
export const rollupFor = (sql: string, always: readonly string[]): Rollup => {
  const words = new Set(sql.match(/\w+/g) ?? [])
  const named = (names: readonly string[]): string[] => names.filter((name) => words.has(name))
  const dimensions = [...named(DIMENSIONS), ...always]
  const needsHistograms = named(HISTOGRAMS).length > 0
  return ROLLUPS.find(
    (one) =>
      (one.histograms || !needsHistograms) &&
      dimensions.every((name) => one.dimensions.includes(name))
  )!
}

export const derivedTable = ({ table, dimensions }: Rollup): string =>
  `CREATE TABLE IF NOT EXISTS ${table} (file VARCHAR, window_start TIMESTAMPTZ,
    ${[...dimensions.map((name) => `"${name}" VARCHAR`), ...SUMS.map((name) => `"${name}" BIGINT`)].join(', ')})`

/** Fills a derived table from hours that were just taken in. */
export const deriveSql = ({ table, dimensions }: Rollup, from: string): string => {
  const keys = ['file', 'window_start', ...dimensions]
  const sums = SUMS.map((name) => `TRY_CAST(sum("${name}") AS BIGINT) AS "${name}"`)
  return `INSERT INTO ${table} BY NAME SELECT ${[quotedList(keys), ...sums].join(', ')} FROM ${from} GROUP BY ALL`
}
