import type { PriceBook } from './book.ts'
import { priceBoundaries } from './price-boundaries.ts'
import { priceAt, type PriceAnswer, type PriceQuery } from './price.ts'

const MS_PER_DAY = 86_400_000
/** A batch has hundreds of combinations and a few days; beyond this the memo starts afresh. */
const ENTRIES_MAX = 50_000

type Stretch = { toMs: number; answer: PriceAnswer }

/** Answers by book, combination and day: a day has one answer, or one per stretch of hours. */
const memos = new WeakMap<PriceBook, Map<string, Stretch[]>>()

/** `priceAt`, remembered: the same answer for the same book, combination and time. */
export const rememberedPriceAt = (
  book: PriceBook,
  query: PriceQuery,
  timeMs: number
): PriceAnswer => {
  const day = Math.floor(timeMs / MS_PER_DAY)
  const key = `${day}\n${Object.values(query).join('\n')}`
  const known = memos.get(book)
  const memo =
    known === undefined || known.size > ENTRIES_MAX ? new Map<string, Stretch[]>() : known
  if (memo !== known) memos.set(book, memo)
  const stretches = memo.get(key) ?? stretchesOf(book, query, day)
  memo.set(key, stretches)
  const found = stretches.find(({ toMs }) => timeMs < toMs)
  return found === undefined ? priceAt(book, query, timeMs) : found.answer
}

const stretchesOf = (book: PriceBook, query: PriceQuery, day: number): Stretch[] => {
  const span = { fromMs: day * MS_PER_DAY, toMs: (day + 1) * MS_PER_DAY }
  const starts = priceBoundaries(book, query, span)
  return starts.map((start, index) => ({
    toMs: starts[index + 1] ?? span.toMs,
    answer: priceAt(book, query, start)
  }))
}
