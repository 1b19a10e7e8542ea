import type { Engine, Row } from '../../services/lake/engine.ts'
import { quoted } from '../../services/lake/parquet-writer.ts'
import type { PriceBook } from '../../services/rates/prices/book.ts'
import {
  PRICE_KEYS,
  PRICE_ROW_COLUMNS,
  priceRows,
  type TimeSpan
} from '../../services/rates/prices/columns.ts'
import { priceBoundaries } from '../../services/rates/prices/price-boundaries.ts'
import { rememberedPriceAt } from '../../services/rates/prices/price-memo.ts'
import type { PriceQuery } from '../../services/rates/prices/price.ts'
import { canonicalTier } from '../../services/rates/prices/service-tiers.ts'
import { DAY_MS } from './month.ts'
import type { PriceSteps } from './usage-sql.ts'

/** Columns of a group that decide its price. */
const PRICED_BY = [
  'provider',
  'model',
  'service_tier',
  'region',
  'batch',
  'provider_account'
] as const

export type Combination = { id: number; query: PriceQuery; tier: string }

/** Numbers the combinations of a day's events: table `combos`. */
export const loadCombinations = async (engine: Engine): Promise<Combination[]> => {
  const keys = PRICED_BY.join(', ')
  const rows = await engine.rows(
    `SELECT DISTINCT provider, coalesce(response_model, request_model) AS model, service_tier, region,
       batch, provider_account FROM temp.events_settled ORDER BY ALL`
  )
  const combinations = rows.map((row, id) => ({ id, ...queryOf(row) }))
  const values = combinations.map(
    ({ id, query, tier }) =>
      `(${[id, query.provider, query.response_model, query.service_tier, query.region, query.batch, query.provider_account, tier].map(literal).join(', ')})`
  )
  await engine.run(
    `CREATE OR REPLACE TEMP TABLE combos AS SELECT combo::BIGINT AS combo, provider::VARCHAR AS provider,
       model::VARCHAR AS model, service_tier::VARCHAR AS service_tier, region::VARCHAR AS region,
       batch::BOOLEAN AS batch, provider_account::VARCHAR AS provider_account, tier::VARCHAR AS tier
     FROM (VALUES ${values.length === 0 ? EMPTY : values.join(', ')}) AS c(combo, ${keys}, tier)
     WHERE combo IS NOT NULL`
  )
  return combinations
}

const EMPTY = '(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)'

const queryOf = (row: Row): { query: PriceQuery; tier: string } => {
  const text = (name: string): string | null => (row[name] as string | null) ?? null
  const batch = row['batch'] === null ? null : row['batch'] === true
  const query = {
    provider: text('provider'),
    request_model: null,
    response_model: text('model'),
    service_tier: text('service_tier'),
    region: text('region'),
    batch,
    provider_account: text('provider_account')
  }
  return { query, tier: canonicalTier(query.provider ?? '', query.service_tier, batch) }
}

/** Where the prices of the combinations change within the days of a span. */
export const priceSteps = (
  books: readonly PriceBook[],
  combinations: readonly Combination[],
  span: TimeSpan
): PriceSteps => {
  const pairs = books.flatMap((book) => combinations.map(({ query }) => ({ book, query })))
  const instants = new Set<number>()
  const sizes = new Set<number>()
  for (const { book, query } of pairs) {
    const own = priceBoundaries(book, query, span)
    const bands = own.flatMap((instant) => rememberedPriceAt(book, query, instant).bands ?? [])
    for (const instant of own) if (instant % DAY_MS !== 0) instants.add(instant)
    for (const { tokensMin } of bands) sizes.add(tokensMin)
  }
  sizes.delete(0)
  const rising = (values: Set<number>): number[] => [...values].toSorted((a, b) => a - b)
  return { promptSizes: rising(sizes), instantsMs: rising(instants) }
}

/** Join condition of a group `u` and its combination `k`. */
export const SAME_COMBINATION = PRICED_BY.map(
  (name) => `u.${name} IS NOT DISTINCT FROM k.${name}`
).join(' AND ')

/** Join condition of a group (alias `u`, with its `combo`) and a price row. */
export const priceOn = (prices: string): string =>
  `u.combo = ${prices}.combo AND epoch_us(u.slot) >= ${prices}.time_from_us
   AND epoch_us(u.slot) < ${prices}.time_to_us
   AND u.prompt_floor >= ${prices}.tokens_min AND u.prompt_floor < ${prices}.tokens_max`

/** A price row without the keys that the combination stands for. */
const OWN = PRICE_ROW_COLUMNS.slice(PRICE_KEYS.length)

/** Loads the prices of all combinations over a span from one book: table `name`. */
export const loadPrices = async (
  engine: Engine,
  name: string,
  {
    book,
    combinations,
    span
  }: { book: PriceBook; combinations: readonly Combination[]; span: TimeSpan }
): Promise<void> => {
  const rows = combinations.flatMap(({ id, query }) =>
    priceRows(book, [query], span).map(
      (row) => `(${[id, ...OWN.map((column) => row[column.name])].map(literal).join(', ')})`
    )
  )
  const columns = ['combo', ...OWN.map((column) => column.name)].join(', ')
  const casts = OWN.map((column) => `${column.name}::${column.type} AS ${column.name}`).join(', ')
  const none = `(${['combo', ...OWN].map(() => 'NULL').join(', ')})`
  await engine.run(
    `CREATE OR REPLACE TEMP TABLE "${name}" AS SELECT row_number() OVER () AS row_number, combo::BIGINT AS combo, ${casts}
     FROM (VALUES ${rows.length === 0 ? none : rows.join(', ')}) AS p(${columns}) WHERE combo IS NOT NULL`
  )
}

const literal = (value: unknown): string => {
  if (value === null || value === undefined) return 'NULL'
  if (typeof value === 'string') return quoted(value)
  return typeof value === 'bigint' ? value.toString() : JSON.stringify(value)
}
