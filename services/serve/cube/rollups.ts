import { DIMENSIONS, HISTOGRAM_TYPE, HISTOGRAMS, quotedList, SUMS, sumType } from './columns.ts'
import { mergeSql, NONE, type Constants } from './merge.ts'

/**
 * The cube, with all dimensions and with fewer, each in hours and in days. Most questions name few
 * dimensions, and long ranges are mostly whole days: a question is answered from the smallest
 * tables that have what its text names.
 */
export type Rollup = {
  name: string
  dimensions: readonly string[]
  /** Without hours of its own, it takes those of `full`. */
  hasHours: boolean
}

/** Everything: the others are made of it. */
export const FULL: Rollup = { name: 'full', dimensions: DIMENSIONS, hasHours: true }

/** Dimensions that may have thousands of values, or come in combination with such. */
const MANY = new Set(['tenant', 'cache_pool', 'component_version', 'output_schema'])

/** From small to large. */
export const ROLLUPS: readonly Rollup[] = [
  { name: 'fleet', dimensions: DIMENSIONS.filter((name) => !MANY.has(name)), hasHours: true },
  { name: 'tenant', dimensions: ['tenant'], hasHours: true },
  // A month of everybody's models is asked for in days; its hours would take half of what `full` takes.
  { name: 'models', dimensions: ['tenant', 'request_model', 'response_model'], hasHours: false },
  FULL
]

export const WITH_HOURS = ROLLUPS.filter(({ hasHours }) => hasHours)

export const hoursOf = ({ name, hasHours }: Rollup): string =>
  `cube.${hasHours ? name : FULL.name}_hours`
export const daysOf = ({ name }: Rollup): string => `cube.${name}_days`

/** The smallest that can answer a query; `always` are dimensions that it needs whatever its text. */
export const rollupFor = (sql: string, always: readonly string[]): Rollup => {
  if (/\bSELECT\s+\*|,\s*\*|\.\*/i.test(sql)) return FULL
  const words = new Set(sql.match(/\w+/g) ?? [])
  const named = [...DIMENSIONS.filter((name) => words.has(name)), ...always]
  return ROLLUPS.find(({ dimensions }) => named.every((name) => dimensions.includes(name)))!
}

/** `file` is the number of the file that an hour came from; a day has none. */
export const rollupTables = (rollup: Rollup): string => {
  const columns = [
    'window_start TIMESTAMPTZ',
    ...rollup.dimensions.map((name) => `"${name}" VARCHAR`),
    ...SUMS.map((name) => `"${name}" ${sumType(name)}`),
    ...HISTOGRAMS.map((name) => `"${name}" ${HISTOGRAM_TYPE}`)
  ].join(', ')
  const hours = `CREATE TABLE IF NOT EXISTS ${hoursOf(rollup)} (file INTEGER, ${columns});`
  return `${rollup.hasHours ? hours : ''} CREATE TABLE IF NOT EXISTS ${daysOf(rollup)} (${columns})`
}

/** Fills the hours of a rollup. */
export const hoursSql = (rollup: Rollup, from: string, constants: Constants): string =>
  `INSERT INTO ${hoursOf(rollup)} BY NAME ${mergeSql(from, ['file', 'window_start', ...rollup.dimensions], constants)}`

/** Fills the days of a rollup with rows of its hours, or of the days of `full`, which come first. */
export const daysSql = (rollup: Rollup, where: string): string => {
  const from = rollup.hasHours
    ? `(SELECT * EXCLUDE (file) REPLACE (date_trunc('day', window_start) AS window_start)
    FROM ${hoursOf(rollup)} WHERE ${where})`
    : `(FROM ${daysOf(FULL)} WHERE ${where})`
  return `INSERT INTO ${daysOf(rollup)} BY NAME ${mergeSql(from, ['window_start', ...rollup.dimensions], NONE)}`
}

/** Changes when a file that was written before is of no use any more. */
export const CUBE_SHAPE = ['cube 6', ...ROLLUPS.map(rollupTables), quotedList(DIMENSIONS)].join(
  '\n'
)
