import { divideNearest } from '../../schemas/money.ts'
import type { RateClass } from '../../services/rates/prices/book-row.ts'
import type { PriceBook } from '../../services/rates/prices/book.ts'
import { rememberedPriceAt } from '../../services/rates/prices/price-memo.ts'
import { resolveRate } from '../../services/rates/prices/price.ts'
import type { Meter } from './bill.ts'
import type { Cell } from './cells.ts'
import type { Call } from './recorded.ts'

/** A price in pico-dollars per token as a fraction: a cell may mix several. */
export type Fraction = { pico: bigint; tokens: bigint }

/** What is worked out about a cell on the way from its tokens to its dollars. */
export type Working = {
  cell: Cell
  /** Price that our record gives a token of this cell; null when nobody lists one. */
  price: Fraction | null
  /** Our tokens, copies left out, calls of other days moved; and what our record says of them. */
  tokens: number
  pico: bigint
  /** The bill's tokens, stated or implied by its dollars. */
  billed: number | null
  /** Tokens that rounding on the bill may hide. */
  slack: number
}

/** One provider and model over the whole bill. */
export type Group = {
  provider: string
  model: string
  workings: Working[]
  /** Calls of the group, copies left out, inside the bill or near its ends. */
  calls: Call[]
  /** Calls on the bill by bucket, where it counts them. */
  requests: Map<number, number>
}

/** Token classes that a cause moves between meters and tiers without changing their sum. */
export const CLASSES = ['in', 'read', 'write', 'out'] as const
export type TokenClass = (typeof CLASSES)[number]

export const classOf = (meter: Meter): TokenClass => {
  if (meter === 'in_cache_read') return 'read'
  if (meter.startsWith('in_cache_write')) return 'write'
  return meter === 'out' ? 'out' : 'in'
}

/** Value of tokens at a price, exact up to half a pico-dollar. */
export const valueOf = (price: Fraction | null, tokens: number): bigint =>
  price === null ? 0n : divideNearest(BigInt(Math.round(tokens)) * price.pico, price.tokens)

/** Price as a number, for statistics only. */
export const weightOf = (price: Fraction | null): number =>
  price === null ? 0 : Number(price.pico) / Number(price.tokens)

const RATES: Partial<Record<Meter, RateClass>> = {
  in: 'in',
  in_uncached: 'in',
  in_cache_read: 'read',
  in_cache_write: 'write',
  in_cache_write_5m: 'write',
  in_cache_write_30m: 'write',
  in_cache_write_1h: 'write_1h',
  in_cache_write_12h: 'write_12h',
  out: 'out'
}

type Place = Pick<Cell, 'provider' | 'model' | 'meter' | 'tier'>

/** List prices of a token in a cell by size tier, the smallest first; none when the book has none. */
export const listPrices = (book: PriceBook, place: Place, timeMs: number): bigint[] => {
  const rate = RATES[place.meter]
  if (rate === undefined) return []
  const { bands } = rememberedPriceAt(
    book,
    {
      provider: place.provider,
      request_model: null,
      response_model: place.model,
      service_tier: place.tier === 'batch' ? null : place.tier,
      region: null,
      batch: place.tier === 'batch',
      provider_account: null
    },
    timeMs
  )
  return (bands ?? []).flatMap((band) => {
    const { pico } = resolveRate(band.rates, rate)
    return pico === null ? [] : [BigInt(pico)]
  })
}

/** List price of a token in a cell, of the smallest size tier; null when the book has none. */
export const listPrice = (book: PriceBook, place: Place, timeMs: number): bigint | null =>
  listPrices(book, place, timeMs)[0] ?? null

/** Lists by key, keys in order of their first appearance. */
export const groupBy = <Item, Key>(
  items: readonly Item[],
  key: (item: Item) => Key
): Map<Key, Item[]> => {
  const groups = new Map<Key, Item[]>()
  for (const item of items) {
    const list = groups.get(key(item))
    if (list === undefined) groups.set(key(item), [item])
    else list.push(item)
  }
  return groups
}
