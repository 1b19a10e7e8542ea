import type { Disagreement, RateCard, RateClass, Rates } from '../book-row.ts'

/** Puts two sources' cards together: the first wins, the second fills gaps, differences are kept. */
export type Source = { id: string; cards: Record<string, RateCard>; units: Record<string, number> }

export type Combined = {
  cards: Record<string, RateCard>
  units: Record<string, number>
  disagreements: Disagreement[]
  notes: string[]
}

/** Prices that differ by less than this are the same price, rounded differently. */
const ROUNDING_PPM = 1000

export const combine = (first: Source, second: Source): Combined => {
  const disagreements: Disagreement[] = []
  const note = (what: string, left: number | undefined, right: number | undefined): void => {
    if (left === undefined || right === undefined || isSame(left, right)) return
    disagreements.push({ what, values: { [first.id]: left, [second.id]: right } })
  }
  const tiers = new Set([...Object.keys(first.cards), ...Object.keys(second.cards)])
  const cards: Record<string, RateCard> = {}
  const notes: string[] = []
  const agree = agreesOnBase(first, second)
  for (const tier of tiers) {
    const [left, right] = [first.cards[tier], second.cards[tier]]
    eachRate(left, right, (what, a, b) => note(`${tier}.${what}`, a, b))
    if (left === undefined && !agree) {
      notes.push(`${tier} prices of ${second.id} left out: it disagrees on the standard price`)
      continue
    }
    cards[tier] = fill(left, agree ? right : undefined) ?? { rates: {} }
  }
  for (const [unit, value] of Object.entries(first.units)) note(unit, value, second.units[unit])
  return { cards, units: { ...second.units, ...first.units }, disagreements, notes }
}

const isSame = (left: number, right: number): boolean =>
  Math.abs(left - right) * 1_000_000 <= Math.max(left, right) * ROUNDING_PPM

const agreesOnBase = (first: Source, second: Source): boolean => {
  const [left, right] = [first.cards['standard']?.rates, second.cards['standard']?.rates]
  if (left === undefined || right === undefined) return true
  const names = ['in', 'out'] as const
  return names.every((name) => {
    const [a, b] = [left[name], right[name]]
    return a === undefined || b === undefined || isSame(a, b)
  })
}

export const fill = (
  left: RateCard | undefined,
  right: RateCard | undefined
): RateCard | undefined => {
  if (left === undefined || right === undefined) return left ?? right
  const thresholds = [...(left.sizes ?? []), ...(right.sizes ?? [])].map(({ tokens }) => tokens)
  const sizes = [...new Set(thresholds)]
    .toSorted((a, b) => a - b)
    .map((tokens) => ({ tokens, rates: { ...sizeOf(right, tokens), ...sizeOf(left, tokens) } }))
  return {
    rates: { ...right.rates, ...left.rates },
    ...(sizes.length > 0 && { sizes })
  }
}

export const sizeOf = (card: RateCard, tokens: number): Rates =>
  card.sizes?.find((size) => size.tokens === tokens)?.rates ?? {}

type Visit = (what: string, left: number | undefined, right: number | undefined) => void

const eachRate = (left: RateCard | undefined, right: RateCard | undefined, visit: Visit): void => {
  if (left === undefined || right === undefined) return
  for (const name of Object.keys(left.rates) as RateClass[]) {
    visit(name, left.rates[name], right.rates[name])
  }
  for (const { tokens, rates } of left.sizes ?? []) {
    const other = sizeOf(right, tokens)
    for (const name of Object.keys(rates) as RateClass[]) {
      visit(`${name}>=${tokens}`, rates[name], other[name])
    }
  }
}
