import type { EventRow } from '../../schemas/avro/flatten-event.ts'
import { EVENT_FIELDS, type EventField } from '../../schemas/event-fields.ts'
import { ENRICHED_COLUMNS, FIELD_TYPES } from '../../schemas/tables.ts'
import { TOKEN_FIELDS } from '../../schemas/tokens.ts'
import { estimateEvent } from '../../services/rates/energy/estimate-event.ts'
import { KnownDeployments } from '../../services/rates/energy/known-deployments.ts'
import type { PriceBook } from '../../services/rates/prices/book.ts'
import { priceUsage } from '../../services/rates/prices/usage.ts'

/**
 * Events as the live pipeline lands them, in a table of a backtest: the same rows, columns, prices
 * and energies; only the log and the lake are left out.
 */

const COST = 'cost_pico'
/** What the pipeline works out of an event, and a row brings along. */
const ADDED: readonly string[] = [
  COST,
  'energy_low_uj',
  'energy_mid_uj',
  'energy_high_uj',
  'energy_tier'
]
const US_PER_MS = 1000

/** A row with its cost and energy, as the JSON text that `eventsSql` reads. */
export const rowText = (row: EventRow, book: PriceBook): string => {
  const energy = estimateEvent(row, DEPLOYMENTS)
  return JSON.stringify({
    ...row,
    [COST]: costOf(row, book)?.toString() ?? null,
    energy_low_uj: energy?.low ?? null,
    energy_mid_uj: energy?.mid ?? null,
    energy_high_uj: energy?.high ?? null,
    energy_tier: energy?.tier ?? null
  })
}

const DEPLOYMENTS = new KnownDeployments()

const costOf = (row: EventRow, book: PriceBook): bigint | null => {
  const word = (column: string): string | null => {
    const value = row[column]
    return typeof value === 'string' ? value : null
  }
  const count = (column: string): number | null => {
    const value = row[column]
    return typeof value === 'number' ? value : null
  }
  return priceUsage(book, {
    provider: word('provider'),
    request_model: word('request_model'),
    response_model: word('response_model'),
    service_tier: word('service_tier'),
    region: word('region'),
    batch: row['batch'] === true,
    provider_account: word('provider_account'),
    tokens: Object.fromEntries(TOKEN_FIELDS.map((name) => [name, count(name)])),
    timeMs: Math.floor((count('time') ?? 0) / US_PER_MS)
  }).costPico
}

/** SQL from rows as JSON texts in `line` to columns of enriched event rows. */
export const eventsSql = (relation: string): string => {
  const names = [...EVENT_FIELDS.map(({ column }) => column), ...ADDED]
  const paths = names.map((column) => `'$.${column}'`).join(', ')
  const columns = EVENT_FIELDS.map((field, index) => columnSql(field, index + 1))
  const enriched = ENRICHED_COLUMNS.map(({ name, type }) =>
    ADDED.includes(name)
      ? `f[${names.indexOf(name) + 1}]::${type} AS ${name}`
      : `NULL::${type} AS ${name}`
  )
  return `SELECT ${[...columns, ...enriched].join(',\n  ')}
FROM (SELECT json_extract_string(line, [${paths}]) AS f FROM ${relation})`
}

const columnSql = ({ kind, column }: EventField, position: number): string =>
  `${typedSql(kind, `f[${position}]`)} AS "${column}"`

const typedSql = (kind: EventField['kind'], value: string): string => {
  if (kind === 'time') return `make_timestamptz(${value}::BIGINT)`
  if (kind === 'words') return `from_json(${value}, '["VARCHAR"]')`
  if (kind === 'doubles') return `from_json(${value}, '["DOUBLE"]')`
  return `${value}::${FIELD_TYPES[kind]}`
}
