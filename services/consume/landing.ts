import { EVENT_FIELDS } from '../../schemas/event-fields.ts'
import { prefixesSql } from '../../schemas/prefixes.ts'
import { ENRICHED_COLUMNS, EVENT_TABLE_COLUMNS, FIELD_TYPES } from '../../schemas/tables.ts'
import { INPUT_BUCKETS, OUTPUT_BUCKETS } from '../../schemas/tokens.ts'
import { windowsSql } from '../../schemas/windows.ts'
import type { Selection } from '../lake/land-table.ts'
import { quoted } from '../lake/parquet-writer.ts'
import { energyVersion } from '../rates/energy/estimate.ts'
import { ENERGY_COLUMNS } from './energy-columns.ts'

/**
 * The SQL of a flush, in three steps: `batch` holds the columns that came out of the records,
 * `columns` is a view over it with every column of an event in its final type, `enriched` adds
 * costs and energy. Each landed table is one SELECT over `enriched`.
 */

/** An inclusive total, worked out from its buckets where the emitter gave none. */
const totalSql = (
  total: string,
  buckets: readonly string[],
  present: ReadonlySet<string>
): string => {
  const known = buckets.filter((bucket) => present.has(bucket))
  const given = present.has(total) ? `e."${total}"::BIGINT` : 'NULL::BIGINT'
  if (known.length === 0) return given
  const any = `coalesce(${known.map((bucket) => `e."${bucket}"`).join(', ')}) IS NOT NULL`
  const sum = known.map((bucket) => `coalesce(e."${bucket}", 0)::BIGINT`).join(' + ')
  return `coalesce(${given}, CASE WHEN ${any} THEN ${sum} END)`
}

const isEnergy = (name: string): boolean => ENERGY_COLUMNS.some((column) => column === name)

/** What a batch may bring along that no field of an event holds. */
const GIVEN_COLUMNS = ['cost_pico', ...ENERGY_COLUMNS] as const

export const givenExpressions = (present: ReadonlySet<string>): Record<string, string> =>
  Object.fromEntries(
    GIVEN_COLUMNS.filter((name) => present.has(name)).map((name) => [name, `e."${name}"`])
  )

/** What a flush adds to its events beside their prices: what it brought along, and by which factors. */
export const givenEnrichment = (present: ReadonlySet<string>): Record<string, string> => ({
  ...givenExpressions(present),
  ...(ENERGY_COLUMNS.every((name) => present.has(name)) ? ENERGY_VERSION : {})
})

/** The view `columns` over `batch`, of which only the `present` columns exist. */
export const columnsSql = (topic: string, present: ReadonlySet<string>): string => {
  const fields = EVENT_FIELDS.map(({ column, kind }) => {
    const type = FIELD_TYPES[kind]
    const named = `AS "${column}"`
    if (column === 'in_total') return `${totalSql(column, INPUT_BUCKETS, present)} ${named}`
    if (column === 'out_total') return `${totalSql(column, OUTPUT_BUCKETS, present)} ${named}`
    if (!present.has(column)) return `NULL::${type} ${named}`
    if (kind === 'time') return `${instant(column)} ${named}`
    // Words stay enumerations: they group and write by their codes.
    return kind === 'long' ? `e."${column}"::BIGINT ${named}` : `e."${column}"`
  })
  const extra = Object.values(givenExpressions(present))
  const position = [
    'e.row_key',
    `${constant(topic)} AS topic`,
    'e."partition"',
    'e."offset"',
    `${instant('append_time')} AS append_time`
  ]
  const select = [...position, ...fields, ...extra].join(',\n ')
  return `CREATE OR REPLACE TEMP VIEW columns AS SELECT ${select} FROM temp.batch e`
}

/**
 * Event columns of `enriched` that may hold a value, when `batch` has the `given` ones. Energy is
 * left out: events have it at once, windows when their hour is settled and restated. To add it up
 * twice costs two hundredths of the pass.
 */
export const presentColumns = (given: ReadonlySet<string>): Set<string> => {
  const any = (names: readonly string[]): boolean => names.some((name) => given.has(name))
  const present = new Set(['cost_pico', ...given].filter((name) => !isEnergy(name)))
  if (any(INPUT_BUCKETS)) present.add('in_total')
  if (any(OUTPUT_BUCKETS)) present.add('out_total')
  return present
}

/** An instant out of a column in UTC: without the calendar that a conversion of zones asks. */
const instant = (column: string): string => `make_timestamptz(epoch_us(e."${column}"))`

/** What enrichment adds: expressions over `columns` (alias `e`) and the joins they need. */
export type Enrichment = {
  expressions: Readonly<Partial<Record<string, string>>>
  joins: readonly string[]
}

/** The view `enriched`: every column of `events_raw`. */
export const enrichedSql = (generation: string, { expressions, joins }: Enrichment): string => {
  const position = ['topic', 'partition', 'offset', 'append_time']
  const events = [...position, ...EVENT_FIELDS.map(({ column }) => column)]
  const added = ENRICHED_COLUMNS.map(({ name, type }) => {
    const expression = expressions[name] ?? 'NULL'
    if (name === 'generation') return `${constant(generation)} AS "${name}"`
    // A column of the batch has its type, and an enumeration is written by its codes.
    if (expression === `e."${name}"`) return expression
    if (expression === ENERGY_VERSION.energy_version) return `${expression} AS "${name}"`
    return `(${expression})::${type} AS "${name}"`
  })
  const select = [...events.map((name) => `e."${name}"`), ...added].join(',\n ')
  return `CREATE OR REPLACE TEMP VIEW enriched AS SELECT ${select} FROM temp.columns e ${joins.join(' ')}`
}

/**
 * Columns that hold no value in the whole batch are left out of its file: by Delta's rules readers
 * see null there, and writing sixty empty columns costs as much as ten full ones.
 */
const landed = (present: ReadonlySet<string>): string =>
  EVENT_TABLE_COLUMNS.map(({ name }) => name)
    .filter((name) => present.has(name) || !EVENT_FIELDS.some(({ column }) => column === name))
    .map((name) => `"${name}"`)
    .join(', ')

/** A constant as an enumeration of one: written by its code, not by its text. */
const constant = (value: string): string => `${quoted(value)}::ENUM(${quoted(value)})`

/** Method and factors of estimates: the same on every row, and next to no bytes. */
export const ENERGY_VERSION = { energy_version: constant(energyVersion()) } as const

/** The tables that a flush lands from `enriched`. Rows of `events_raw` keep the log's order. */
export const landings = (generation: string, present: ReadonlySet<string>): Selection[] => {
  const stamped = (sql: string): string =>
    `SELECT *, ${constant(generation)} AS generation FROM (${sql})`
  return [
    { table: 'events_raw', sql: `SELECT ${landed(present)} FROM enriched`, time: 'time' },
    {
      table: 'windows_raw',
      sql: stamped(windowsSql('enriched', { present, raw: true })),
      time: 'window_start'
    },
    { table: 'prefixes_raw', sql: stamped(prefixesSql('enriched')), time: 'window_start' }
  ]
}
