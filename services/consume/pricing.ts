import { TOKEN_FIELDS } from '../../schemas/tokens.ts'
import type { Engine, Row } from '../lake/engine.ts'
import { quoted } from '../lake/parquet-writer.ts'
import {
  PRICE_KEYS,
  PRICE_ROW_COLUMNS,
  costSql,
  priceIdSql,
  priceJoinSql,
  priceRows,
  type PriceRow
} from '../rates/prices/columns.ts'
import type { PriceBook } from '../rates/prices/book.ts'
import type { PriceQuery } from '../rates/prices/price.ts'
import { priceUsage, type Iteration } from '../rates/prices/usage.ts'
import type { Enrichment } from './landing.ts'

const US_PER_MS = 1000

/**
 * Prices the events of the view `columns`: a price is looked up for each distinct combination of
 * what decides it, loaded as a small table, and joined in SQL. Events with meters other than
 * tokens, or with sub-inferences of several models, are rare and priced one by one.
 */
export const pricing = async (engine: Engine, book: PriceBook): Promise<Enrichment> => {
  await loadPrices(engine, book)
  const joins = [`LEFT JOIN temp.prices p ON ${priceJoinSql('e', 'p')}`]
  const cost = costSql('e', 'p')
  const id = priceIdSql('e', 'p')
  if (!(await loadExceptions(engine, book))) {
    return { expressions: { cost_pico: cost, price_id: id }, joins }
  }
  const own = 'x.row_key IS NOT NULL'
  return {
    expressions: {
      cost_pico: `CASE WHEN ${own} THEN x.cost_pico ELSE ${cost} END`,
      price_id: `CASE WHEN ${own} THEN x.price_id ELSE ${id} END`
    },
    joins: [...joins, 'LEFT JOIN temp.exceptions x ON x.row_key = e.row_key']
  }
}

const loadPrices = async (engine: Engine, book: PriceBook): Promise<void> => {
  const keys = PRICE_KEYS.join(', ')
  // The keys keep the batch's own enumerations, so that the join compares codes, not strings.
  await engine.run(
    `CREATE OR REPLACE TEMP TABLE combinations AS SELECT row_number() OVER () AS combination, * FROM (
       SELECT ${keys}, epoch_us(min(time)) AS low_us, epoch_us(max(time)) AS high_us
       FROM temp.columns GROUP BY ${keys} ORDER BY ${keys})`
  )
  const combinations = await engine.rows('FROM temp.combinations')
  const rows = combinations.flatMap((row) =>
    priceRows(book, [row as PriceQuery & Row], spanOf(row)).map((price) =>
      literals(row['combination'], price)
    )
  )
  const own = PRICE_ROW_COLUMNS.slice(PRICE_KEYS.length)
  const casts = own.map(({ name, type }) => `f.${name}::${type} AS ${name}`).join(', ')
  const columns = ['combination', ...own.map(({ name }) => name)].join(', ')
  // An hour may have lost its last event to another one: then there is nothing to price.
  const nulls = `(${['combination', ...own].map(() => 'NULL').join(', ')})`
  const prefixed = PRICE_KEYS.map((name) => `c.${name}`).join(', ')
  await engine.run(
    `CREATE OR REPLACE TEMP TABLE prices AS SELECT ${prefixed}, ${casts}
     FROM temp.combinations c JOIN (VALUES ${rows.join(', ') || nulls}) AS f(${columns}) USING (combination)`
  )
}

const spanOf = (row: Row): { fromMs: number; toMs: number } => ({
  fromMs: Math.floor(Number(row['low_us']) / US_PER_MS),
  toMs: Math.floor(Number(row['high_us']) / US_PER_MS) + 1
})

const literals = (combination: unknown, price: PriceRow): string => {
  const own = PRICE_ROW_COLUMNS.slice(PRICE_KEYS.length).map(({ name }) => literal(price[name]))
  return `(${literal(combination)}, ${own.join(', ')})`
}

const literal = (value: unknown): string => {
  if (value === null || value === undefined) return 'NULL'
  if (typeof value === 'string') return quoted(value)
  return typeof value === 'bigint' ? value.toString() : JSON.stringify(value)
}

/** Prices events with units or iterations; says whether there are any. */
const loadExceptions = async (engine: Engine, book: PriceBook): Promise<boolean> => {
  const columns = [...PRICE_KEYS, ...TOKEN_FIELDS].join(', ')
  const rows = await engine.rows(
    `SELECT row_key, epoch_ms(time) AS time_ms, units, iterations, ${columns}
     FROM temp.columns WHERE units IS NOT NULL OR iterations IS NOT NULL`
  )
  if (rows.length === 0) return false
  const values = rows.map((row) => exception(book, row)).join(', ')
  await engine.run(
    `CREATE OR REPLACE TEMP TABLE exceptions AS SELECT row_key::BIGINT AS row_key,
       cost_pico::BIGINT AS cost_pico, price_id::VARCHAR AS price_id
     FROM (VALUES ${values}) AS x(row_key, cost_pico, price_id)`
  )
  return true
}

const exception = (book: PriceBook, row: Row): string => {
  const tokens = Object.fromEntries(
    TOKEN_FIELDS.map((name) => [name, row[name] === null ? null : Number(row[name])])
  )
  const { costPico, priceId } = priceUsage(book, {
    ...(row as Row & Partial<PriceQuery>),
    tokens,
    units: parsed<Record<string, number>>(row['units']),
    iterations: parsed<Iteration[]>(row['iterations']),
    timeMs: Number(row['time_ms'])
  })
  return `(${[row['row_key'], costPico, priceId].map(literal).join(', ')})`
}

/** Both columns were written by our own encoder from validated events. */
const parsed = <Value>(text: unknown): Value | null =>
  typeof text === 'string' ? (JSON.parse(text) as Value) : null
