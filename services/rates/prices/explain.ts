import { formatUsd } from '../../../schemas/money.ts'
import type { BookRow, Rates } from './book-row.ts'
import { findRows, type PriceBook } from './book.ts'
import { priceAt, type PriceQuery } from './price.ts'

/** What the book says about a model, for people: prices in USD per million tokens. */

const TOKENS_PER_MILLION = 1_000_000n

type UsdRates = Record<string, string>

export type ExplainedRow = {
  provider: string
  model: string
  aliases: readonly string[]
  region: string | null
  from: string | null
  to: string | null
  dated: string | null
  sources: readonly string[]
  /** By tier, then by size tier: the least number of input tokens. */
  usd_per_million: Record<string, { from_tokens: number; rates: UsdRates }[]>
  usd_per_unit: UsdRates
  multipliers: Record<string, string>
  /** Hours of the day (UTC) and ISO weekdays with prices of their own. */
  hours: { utc: string[]; weekdays: readonly number[]; usd_per_million: UsdRates }[]
  notes: readonly string[]
  disagreements: { what: string; usd_per_million: UsdRates }[]
}

export type Explained = {
  model: string
  at: string
  /** What applies to a call of the standard tier at that time. */
  price: { price_id: string; usd_per_million: UsdRates; assumptions: readonly string[] } | null
  unpriced: string | null
  rows: ExplainedRow[]
}

/** Everything the book knows of a model, at one provider or at all of them. */
export const explainModel = (
  book: PriceBook,
  query: PriceQuery & { response_model: string },
  timeMs: number
): Explained => {
  const { bands, unpriced } = priceAt(book, query, timeMs)
  const found = findRows(book, query.provider, query.response_model).rows
  const rows = found.length > 0 ? found : namesakes(book, query.response_model)
  const [price] = bands ?? []
  return {
    model: query.response_model,
    at: new Date(timeMs).toISOString(),
    price:
      price === undefined
        ? null
        : {
            price_id: price.id,
            usd_per_million: perMillion(price.rates),
            assumptions: price.assumptions
          },
    unpriced,
    rows: rows.map(explainRow)
  }
}

/** Rows of the name at any provider. */
const namesakes = (book: PriceBook, model: string): BookRow[] => {
  const name = model.toLowerCase()
  return book.rows.filter((row) => row.model === name || row.aliases?.includes(name))
}

const perMillion = (rates: Rates): UsdRates =>
  Object.fromEntries(
    Object.entries(rates).map(([name, pico]) => [
      name,
      formatUsd(BigInt(pico) * TOKENS_PER_MILLION)
    ])
  )

const perUnit = (units: Readonly<Record<string, number>>): UsdRates =>
  Object.fromEntries(Object.entries(units).map(([name, pico]) => [name, formatUsd(BigInt(pico))]))

/** Minutes of a day as HH:MM. */
const clock = (minutes: number): string =>
  [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':')

const explainRow = (row: BookRow): ExplainedRow => ({
  provider: row.provider,
  model: row.model,
  aliases: row.aliases ?? [],
  region: row.region ?? null,
  from: row.from ?? null,
  to: row.to ?? null,
  dated: row.dated ?? null,
  sources: row.sources,
  usd_per_million: Object.fromEntries(
    Object.entries(row.cards).map(([tier, card]) => [
      tier,
      [{ tokens: 0, rates: card.rates }, ...(card.sizes ?? [])].map(({ tokens, rates }) => ({
        from_tokens: tokens,
        rates: perMillion(rates)
      }))
    ])
  ),
  usd_per_unit: perUnit(row.units ?? {}),
  multipliers: multipliersOf(row),
  hours: (row.windows ?? []).map(({ minutes, weekdays, card }) => ({
    utc: minutes.map(([from, to]) => `${clock(from)}-${clock(to)}`),
    weekdays,
    usd_per_million: perMillion(card.rates)
  })),
  notes: row.notes ?? [],
  disagreements: (row.disagreements ?? []).map(({ what, values }) => ({
    what,
    usd_per_million: perMillion(values as Rates)
  }))
})

const multipliersOf = (row: BookRow): Record<string, string> => {
  const named = (kind: string, permille: Readonly<Record<string, number>> = {}) =>
    Object.entries(permille).map(([name, value]) => [`${kind} ${name}`, String(value / 1000)])
  return Object.fromEntries([
    ...named('tier', row.tierPermille),
    ...named('region', row.regionPermille)
  ]) as Record<string, string>
}
