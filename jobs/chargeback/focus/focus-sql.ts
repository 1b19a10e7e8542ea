import { CHARGE_KEYS } from '../../../schemas/charges.ts'
import { quoted } from '../../../services/lake/parquet-writer.ts'
import { FOCUS_COLUMNS } from './focus-columns.ts'
import { invoiceSql, type Invoice } from './invoices.ts'

/** What calls carry goes onto the first line of the charges that belong to them. */
const CALLS = [
  'energy_low_uj',
  'energy_mid_uj',
  'energy_high_uj',
  'local_tokens',
  'reported_tokens'
]

const NOT_OF_CALLS: readonly string[] = ['meter', 'price_id', 'list_unit_pico', 'unit_pico']
const GROUP = ['booking', 'month', 'charge_class', ...CHARGE_KEYS.map(({ name }) => name)].filter(
  (name) => !NOT_OF_CALLS.includes(name)
)

/** Order of rows in a file: total, so that an export repeated is the same bytes. */
const ORDER = [...GROUP, 'meter', 'price_id', 'unit_pico', 'list_unit_pico']

const isCalls = "meter IN ('calls', 'calls_without_tokens')"

/**
 * SELECT of FOCUS rows out of ledger rows. Calls have no row of their own, since they cost
 * nothing: their number, energy and counts stand on the first line of the same usage. Calls that
 * no line goes with are left out: there was nothing to charge for.
 */
export const focusSql = (relation: string, invoices: readonly Invoice[] = []): string => {
  const select = FOCUS_COLUMNS.map(({ name, sql }) => `${sql} AS "${name}"`).join(',\n  ')
  const same = GROUP.map((name) => `c.${name} IS NOT DISTINCT FROM l.${name}`).join(' AND ')
  const fromCalls = CALLS.map((name) => `CASE WHEN l.place = 1 THEN c.${name} END AS ${name}`)
  return `WITH ledger AS (SELECT * FROM ${relation}),
  calls AS (SELECT ${GROUP.join(', ')}, sum(quantity)::BIGINT AS calls,
      ${CALLS.map((name) => `sum(${name})::BIGINT AS ${name}`).join(', ')}
    FROM ledger WHERE ${isCalls} GROUP BY ALL),
  lines AS (SELECT *, row_number() OVER (PARTITION BY ${GROUP.join(', ')} ORDER BY meter, price_id, unit_pico) AS place
    FROM ledger WHERE NOT ${isCalls}),
  r AS (SELECT l.* EXCLUDE (place, ${CALLS.join(', ')}), ${fromCalls.join(', ')},
      CASE WHEN l.place = 1 THEN c.calls END AS calls,
      strptime(l.month || '-01T00:00:00+00', '%Y-%m-%dT%H:%M:%S%z') AS period_start,
      strptime(l.month || '-01T00:00:00+00', '%Y-%m-%dT%H:%M:%S%z') + INTERVAL 1 MONTH AS period_end
    FROM lines l LEFT JOIN calls c ON ${same})
SELECT ${select} FROM (SELECT r.*, ${invoiceSql(invoices)} AS invoice_id FROM r) r ORDER BY ${ORDER.map((name) => `r.${name}`).join(', ')}`
}

/** The same rows as text: times end with Z, decimals have no needless zeros. */
const focusCsvSql = (relation: string, invoices: readonly Invoice[]): string => {
  const columns = FOCUS_COLUMNS.map(({ name }) =>
    name.endsWith('PeriodStart') || name.endsWith('PeriodEnd')
      ? `strftime("${name}", '%Y-%m-%dT%H:%M:%SZ') AS "${name}"`
      : `"${name}"`
  )
  return `SELECT ${columns.join(', ')} FROM (${focusSql(relation, invoices)})`
}

export type FocusFormat = 'parquet' | 'csv'

/** Statement that writes FOCUS rows to a file. */
export const focusCopySql = (
  relation: string,
  file: string,
  { format, invoices = [] }: { format: FocusFormat; invoices?: readonly Invoice[] }
): string =>
  format === 'csv'
    ? `COPY (${focusCsvSql(relation, invoices)}) TO ${quoted(file)} (FORMAT csv, HEADER)`
    : `COPY (${focusSql(relation, invoices)}) TO ${quoted(file)} (FORMAT parquet, COMPRESSION zstd)`
