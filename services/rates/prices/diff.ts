import type { BookRow, RateCard } from './book-row.ts'
import type { PriceBook } from './book.ts'

/** A row that two books have differently; null = absent. */
export type RowDifference = {
  provider: string
  model: string
  region: string | null
  from: string | null
  what: 'added' | 'removed' | 'changed'
  /** Prices that changed: tier and class, or unit; pico-dollars per token or unit. */
  prices: { name: string; before: number | null; after: number | null }[]
}

const keyOf = (row: BookRow): string =>
  [row.provider, row.model, row.region ?? '', row.from ?? ''].join('\n')

/** What changes when `after` takes the place of `before`. */
export const diffBooks = (before: PriceBook, after: PriceBook): RowDifference[] => {
  const old = new Map(before.rows.map((row) => [keyOf(row), row]))
  const current = new Map(after.rows.map((row) => [keyOf(row), row]))
  const keys = [...new Set([...old.keys(), ...current.keys()])].toSorted()
  return keys.flatMap((key) => differenceOf(old.get(key), current.get(key)))
}

const differenceOf = (old: BookRow | undefined, current: BookRow | undefined): RowDifference[] => {
  const row = current ?? old
  if (row === undefined) return []
  const [before, after] = [pricesOf(old), pricesOf(current)]
  const names = [...new Set([...before.keys(), ...after.keys()])].toSorted()
  const prices = names
    .map((name) => ({ name, before: before.get(name) ?? null, after: after.get(name) ?? null }))
    .filter((price) => price.before !== price.after)
  const isSame = old !== undefined && current !== undefined && prices.length === 0
  if (isSame && old.to === current.to) return []
  return [
    {
      provider: row.provider,
      model: row.model,
      region: row.region ?? null,
      from: row.from ?? null,
      what: old === undefined ? 'added' : current === undefined ? 'removed' : 'changed',
      prices
    }
  ]
}

/** Every figure of a row by its name. */
const pricesOf = (row: BookRow | undefined): Map<string, number> =>
  row === undefined
    ? new Map()
    : new Map([
        ...Object.entries(row.cards).flatMap(([tier, card]) => cardPrices(`${tier}.`, card)),
        ...(row.windows ?? []).flatMap(({ minutes, weekdays, card }) => {
          const hours = minutes.map((span) => span.join('-')).join('+')
          return cardPrices(`minutes ${hours} of weekdays ${weekdays.join('')}.`, card)
        }),
        ...named('unit.', row.units),
        ...named('permille tier ', row.tierPermille),
        ...named('permille region ', row.regionPermille)
      ])

const cardPrices = (prefix: string, { rates, sizes = [] }: RateCard): [string, number][] =>
  [{ tokens: 0, rates }, ...sizes].flatMap((band) => {
    const size = band.tokens === 0 ? '' : `>=${band.tokens}`
    return named(prefix, band.rates).map(([name, pico]): [string, number] => [name + size, pico])
  })

const named = (
  prefix: string,
  figures: Readonly<Record<string, number>> = {}
): [string, number][] => Object.entries(figures).map(([name, value]) => [prefix + name, value])
