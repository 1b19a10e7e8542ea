import { DIMENSIONS, HISTOGRAM_TYPE, HISTOGRAMS, quotedList, SUMS, sumType } from './columns.ts'
import { partsOfBlock, type BlockName } from './blocks.ts'
import { mergeSql, NONE, type Constants } from './merge.ts'
import { sqlTime } from '../literal.ts'
import type { Span } from './spans.ts'

/**
 * The cube, with all dimensions and with fewer, each in blocks of several lengths. Most questions name
 * few dimensions, and long ranges are mostly whole days: a question is answered from the smallest
 * tables that have what its text names.
 */
export type Rollup = {
  name: string
  dimensions: readonly string[]
  /** From short to long. Without hours of its own, it takes those of `full`. */
  blocks: readonly BlockName[]
}

/** Everything: the others are made of it. */
export const FULL: Rollup = { name: 'full', dimensions: DIMENSIONS, blocks: ['hours', 'days'] }

/** Dimensions that may have thousands of values, or come in combination with such. */
const MANY = new Set(['tenant', 'cache_pool', 'component_version', 'output_schema'])

/** From small to large. */
export const ROLLUPS: readonly Rollup[] = [
  {
    name: 'fleet',
    dimensions: DIMENSIONS.filter((name) => !MANY.has(name)),
    blocks: ['hours', 'days']
  },
  { name: 'tenant', dimensions: ['tenant'], blocks: ['hours', 'quarters', 'days', 'pentads'] },
  // Its hours would take half of what `full` takes.
  {
    name: 'models',
    dimensions: ['tenant', 'request_model', 'response_model'],
    blocks: ['quarters', 'days', 'pentads']
  },
  FULL
]

const hasOwn = ({ blocks }: Rollup, block: BlockName): boolean => blocks.includes(block)
export const rollupsWith = (block: BlockName): Rollup[] =>
  ROLLUPS.filter((one) => hasOwn(one, block))

/** The table of a rollup's blocks. */
export const tableOf = (rollup: Rollup, block: BlockName): string =>
  `cube.${hasOwn(rollup, block) ? rollup.name : FULL.name}_${block}`

/** The smallest that can answer a query; `always` are dimensions that it needs whatever its text. */
export const rollupFor = (sql: string, always: readonly string[]): Rollup => {
  if (/\bSELECT\s+\*|,\s*\*|\.\*/i.test(sql)) return FULL
  const words = new Set(sql.match(/\w+/g) ?? [])
  const named = [...DIMENSIONS.filter((name) => words.has(name)), ...always]
  return ROLLUPS.find(({ dimensions }) => named.every((name) => dimensions.includes(name)))!
}

/** `file` is the number of the file that an hour came from; longer blocks have none. */
export const rollupTables = (rollup: Rollup): string => {
  const columns = [
    'window_start TIMESTAMPTZ',
    ...rollup.dimensions.map((name) => `"${name}" VARCHAR`),
    ...SUMS.map((name) => `"${name}" ${sumType(name)}`),
    ...HISTOGRAMS.map((name) => `"${name}" ${HISTOGRAM_TYPE}`)
  ].join(', ')
  const table = (block: BlockName): string =>
    `CREATE TABLE IF NOT EXISTS ${tableOf(rollup, block)} (${block === 'hours' ? 'file INTEGER, ' : ''}${columns})`
  return rollup.blocks.map(table).join('; ')
}

/** Fills the hours of a rollup. */
export const hoursSql = (rollup: Rollup, from: string, constants: Constants): string =>
  `INSERT INTO ${tableOf(rollup, 'hours')} BY NAME ${mergeSql(from, ['file', 'window_start', ...rollup.dimensions], constants)}`

/** Fills one block of a rollup with rows of its next shorter blocks, or with hours of `full`. */
export const blockSql = (rollup: Rollup, block: BlockName, { fromMs, toMs }: Span): string => {
  const parts = partsOfBlock(rollup, block) ?? 'hours'
  const from = `(SELECT * ${parts === 'hours' ? 'EXCLUDE (file)' : ''} REPLACE (${sqlTime(fromMs)} AS window_start)
    FROM ${tableOf(rollup, parts)} WHERE window_start >= ${sqlTime(fromMs)} AND window_start < ${sqlTime(toMs)})`
  return `INSERT INTO ${tableOf(rollup, block)} BY NAME ${mergeSql(from, ['window_start', ...rollup.dimensions], NONE)}`
}

/** Changes when a file that was written before is of no use any more. */
export const CUBE_SHAPE = ['cube 7', ...ROLLUPS.map(rollupTables), quotedList(DIMENSIONS)].join(
  '\n'
)
