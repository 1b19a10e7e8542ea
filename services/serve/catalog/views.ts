import { binValueSql } from '../../../schemas/histogram.ts'
import { TABLES, type Column, type TableName } from '../../../schemas/tables.ts'
import { WINDOW_DIMENSIONS, WINDOW_MEASURES, isHistogram } from '../../../schemas/windows.ts'
import { quoted } from '../../lake/parquet-writer.ts'
import { HOURLY, WHOLE } from './mart.ts'

/** The analyst's views: what they are called, what is in them, and the SQL that makes them. */

export type MartView = {
  name: string
  comment: string
  columns: readonly Column[]
  /** SELECT over the views before it; null = the files of the mart. */
  sql: string | null
}

const COMMENTS: Readonly<Record<string, string>> = {
  events: 'Events of settled hours: each call once, priced.',
  windows: 'The cube of settled hours: one row a minute and combination of dimensions; adds up.',
  prefixes: 'Prompt prefixes of settled hours by minute.',
  findings: 'What the signals found; the newest row of a fingerprint says how it stands.',
  conflicts: 'Records that share a key and differ in content.',
  disagreements: 'Where emitters of one call tell different things.',
  gaps: 'Stretches of the log that were lost before they were read.',
  charges: 'The ledger that statements are made of; only grows.',
  statements: 'Lines of the monthly statements.',
  bills: 'Lines of imported provider bills.'
}

const files = (name: string, table: TableName): MartView => ({
  name,
  comment: COMMENTS[name] ?? name,
  columns: TABLES[table],
  sql: null
})

const additive = WINDOW_MEASURES.filter((one) => !isHistogram(one))

const callsHourly: MartView = {
  name: 'calls_hourly',
  comment: 'Windows by the hour, without histograms; adds up.',
  columns: [
    { name: 'hour', type: 'TIMESTAMPTZ', comment: 'Start of the hour of event time, UTC.' },
    ...WINDOW_DIMENSIONS.map(({ name, comment }): Column => ({ name, type: 'VARCHAR', comment })),
    ...additive.map(({ name, comment }): Column => ({ name, type: 'BIGINT', comment }))
  ],
  sql: `SELECT date_trunc('hour', window_start) AS hour, ${WINDOW_DIMENSIONS.map(({ name }) => name).join(', ')},
  ${additive.map(({ name }) => `TRY_CAST(sum(${name}) AS BIGINT) AS ${name}`).join(', ')}
FROM windows GROUP BY ALL`
}

const tenantCostDaily: MartView = {
  name: 'tenant_cost_daily',
  comment: 'What each tenant used and cost a day.',
  columns: [
    { name: 'day', type: 'TIMESTAMPTZ', comment: 'Start of the day, UTC.' },
    { name: 'tenant', type: 'VARCHAR', comment: 'Who pays.' },
    { name: 'calls', type: 'BIGINT', comment: 'Events.' },
    { name: 'in_total', type: 'BIGINT', comment: 'Input tokens.' },
    { name: 'out_total', type: 'BIGINT', comment: 'Output tokens.' },
    {
      name: 'cost_pico',
      type: 'BIGINT',
      comment: 'Metered cost in pico-dollars, priced events only.'
    },
    { name: 'cost_usd', type: 'DOUBLE', comment: 'The same in dollars, rounded to a double.' },
    { name: 'n_unpriced', type: 'BIGINT', comment: 'Events with usage and no price.' }
  ],
  sql: `SELECT date_trunc('day', window_start AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' AS day, tenant,
  sum(n)::BIGINT AS calls, sum(in_total)::BIGINT AS in_total, sum(out_total)::BIGINT AS out_total,
  TRY_CAST(sum(cost_pico) AS BIGINT) AS cost_pico, (sum(cost_pico) / 1e12)::DOUBLE AS cost_usd,
  sum(n_unpriced)::BIGINT AS n_unpriced
FROM windows GROUP BY ALL`
}

export const MART_VIEWS: readonly MartView[] = [
  ...Object.entries(HOURLY).map(([name, table]) => files(name, table)),
  ...WHOLE.map((table) => files(table, table)),
  callsHourly,
  tenantCostDaily
]

/** Bins are walked from the smallest until a share of all counts is passed. */
export const MACROS = `CREATE OR REPLACE MACRO hist_bin(hists, q) AS list_reduce(
  list_sort(flatten(list_transform(hists, lambda h: map_entries(h)))),
  lambda seen, bin: CASE WHEN seen.upto >= seen.target THEN seen
    ELSE {'key': bin.key, 'value': bin.value, 'upto': seen.upto + bin.value, 'target': seen.target} END,
  {'key': NULL::SMALLINT, 'value': 0::BIGINT, 'upto': 0::HUGEINT,
   'target': q * list_sum(flatten(list_transform(hists, lambda h: map_values(h))))}
).key;
CREATE OR REPLACE MACRO hist_quantile(hists, q) AS ${binValueSql('hist_bin(hists, q)')}`

/**
 * SQL that makes a view and comments on it and its columns.
 * @param present columns that the files have; null where there is no file yet.
 */
export const viewSql = (
  { name, comment, columns, sql }: MartView,
  folder: string,
  present: ReadonlySet<string> | null
): string => {
  const comments = columns.map(
    (column) => `COMMENT ON COLUMN ${name}."${column.name}" IS ${quoted(column.comment)}`
  )
  return [
    `CREATE OR REPLACE VIEW ${name} AS ${sql ?? filesSql({ name, columns }, folder, present)}`,
    `COMMENT ON VIEW ${name} IS ${quoted(comment)}`,
    ...comments
  ].join(';\n')
}

const filesSql = (
  { name, columns }: Pick<MartView, 'name' | 'columns'>,
  folder: string,
  present: ReadonlySet<string> | null
): string => {
  const select = columns.map((column) =>
    present?.has(column.name) === true
      ? `"${column.name}"::${column.type} AS "${column.name}"`
      : `NULL::${column.type} AS "${column.name}"`
  )
  if (present === null) return `SELECT ${select.join(', ')} WHERE false`
  return `SELECT ${select.join(', ')}\nFROM ${globSql(folder, name)}`
}

/** All files of a table of the mart, whatever columns each has. */
export const globSql = (folder: string, name: string): string =>
  `read_parquet(${quoted(`${folder}/${name}/**/*.parquet`)}, union_by_name = true, hive_partitioning = false)`
