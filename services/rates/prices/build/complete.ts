import type { BookRow, RateCard, RateClass, Rates } from '../book-row.ts'
import { fill, sizeOf } from './cards.ts'

/** Anthropic's multipliers stack: half price in a batch holds for every class of tokens. */
const STACKS = /claude/
const WRITES: readonly RateClass[] = ['write', 'write_1h', 'write_12h']

/**
 * What the tables leave out of a tier. Cached reads in a tier without a price of their own keep
 * the standard discount, and never cost more than the tier's plain input; for Claude every
 * class moves with plain input. Free cache traffic beside paid input means "not charged apart".
 */
export const complete = (row: BookRow): BookRow => {
  const standard = row.cards['standard']
  const notes = [...(row.notes ?? [])]
  const cards = Object.fromEntries(
    Object.entries(row.cards).map(([tier, card]) => {
      const clean = withoutFreeCache(card)
      if (standard === undefined || tier === 'standard') return [tier, clean]
      const added = STACKS.test(row.model)
        ? scaledClasses(clean, standard)
        : discountedRead(clean, withoutFreeCache(standard))
      for (const name of Object.keys(added.rates))
        notes.push(`${tier}.${name} derived from standard`)
      return [tier, fill(clean, added) ?? clean]
    })
  )
  const windows = row.windows?.map((window) => ({ ...window, card: withoutFreeCache(window.card) }))
  return {
    ...row,
    cards,
    ...(windows && { windows }),
    ...(notes.length > 0 && { notes: [...new Set(notes)] })
  }
}

const withoutFreeCache = (card: RateCard): RateCard => {
  const clean = (rates: Rates): Rates => {
    const paid = (card.rates.in ?? 0) > 0
    const entries = Object.entries(rates) as [RateClass, number][]
    return Object.fromEntries(
      entries.filter(([name, pico]) => !(paid && pico === 0 && isCache(name)))
    )
  }
  return {
    rates: clean(card.rates),
    ...(card.sizes && {
      sizes: card.sizes.map(({ tokens, rates }) => ({ tokens, rates: clean(rates) }))
    })
  }
}

const isCache = (name: RateClass): boolean => name.startsWith('read') || WRITES.includes(name)

const scaledClasses = (card: RateCard, standard: RateCard): RateCard => {
  const scale = (own: Rates, base: Rates): Rates => {
    const [paid, full] = [own.in, base.in]
    if (paid === undefined || full === undefined || full === 0) return {}
    const missing = (['read', ...WRITES] as RateClass[]).filter(
      (name) => own[name] === undefined && base[name] !== undefined
    )
    return Object.fromEntries(
      missing.map((name) => [name, Math.round(((base[name] ?? 0) * paid) / full)])
    )
  }
  const sizes = (card.sizes ?? []).map(({ tokens, rates }) => ({
    tokens,
    rates: scale(rates, sizeOf(standard, tokens))
  }))
  return { rates: scale(card.rates, standard.rates), ...(sizes.length > 0 && { sizes }) }
}

const discountedRead = (card: RateCard, standard: RateCard): RateCard => {
  const [plain, read] = [card.rates.in, standard.rates.read]
  if (card.rates.read !== undefined || plain === undefined || read === undefined) {
    return { rates: {} }
  }
  return { rates: { read: Math.min(plain, read) } }
}
