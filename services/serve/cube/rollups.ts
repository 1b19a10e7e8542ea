import { DIMENSIONS, HISTOGRAMS, SUMS } from './columns.ts'
import { mergeSql } from './merge.ts'

/**
 * The hours again, with fewer dimensions: most questions name none or two of them, and a month of
 * hours without dimensions is 720 rows, however much traffic there was. A question is answered
 * from the smallest of these that has the dimensions its text names.
 */
export type Rollup = { table: string; dimensions: readonly string[]; histograms: boolean }

const MODELS = ['request_model', 'response_model']

/** From small to large; the last has everything. */
export const ROLLUPS: readonly Rollup[] = [
  { table: 'cube.hours_all', dimensions: [], histograms: true },
  { table: 'cube.hours_served', dimensions: ['provider', ...MODELS], histograms: true },
  {
    table: 'cube.hours_model',
    dimensions: ['kind', 'provider', 'route', ...MODELS],
    histograms: false
  },
  { table: 'cube.hours_tenant', dimensions: ['tenant'], histograms: true },
  {
    table: 'cube.hours_tenant_model',
    dimensions: ['tenant', 'provider', ...MODELS],
    histograms: false
  },
  { table: 'cube.hours', dimensions: DIMENSIONS, histograms: true }
]

/** All that are made of the last one. */
export const DERIVED: readonly Rollup[] = ROLLUPS.slice(0, -1)

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

export const derivedTable = ({ table, dimensions, histograms }: Rollup): string => {
  const columns = [
    ...dimensions.map((name) => `"${name}" VARCHAR`),
    ...SUMS.map((name) => `"${name}" BIGINT`),
    ...HISTOGRAMS.filter(() => histograms).map((name) => `"${name}" MAP(SMALLINT, BIGINT)`)
  ]
  return `CREATE TABLE IF NOT EXISTS ${table} (file VARCHAR, window_start TIMESTAMPTZ, ${columns.join(', ')})`
}

/** Fills a derived table from hours that were just taken in. */
export const deriveSql = ({ table, dimensions, histograms }: Rollup, from: string): string =>
  `INSERT INTO ${table} BY NAME ${mergeSql(from, dimensions, histograms ? HISTOGRAMS : [])}`
