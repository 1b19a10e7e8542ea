import type { PriceBook } from '../../services/rates/prices/book.ts'
import type { Bucket } from './cells.ts'
import { addPart, chargedOnce } from './cells.ts'
import type { Cause } from './causes.ts'
import { listPrice, listPrices, valueOf, weightOf, type Group, type Working } from './working.ts'

/**
 * What is left when both sides count the same tokens: another price. Where the bill's unit price
 * is the list price of another tier or time to live, the calls were put in the wrong class; where
 * it wanders between two such prices from day to day, some of them were; else the price changed.
 */

const TIERS = ['standard', 'batch', 'flex', 'priority'] as const
const WRITE_METERS = [
  'in_cache_write_5m',
  'in_cache_write_30m',
  'in_cache_write_1h',
  'in_cache_write_12h'
] as const
/** Shares of mislabelled calls that agree this closely over classes come from a factor. */
const SHARE_SAME = 1e-4
/** Random calls mislabelled give shares that differ between classes, but not by more than this. */
const SHARE_SPREAD_MAX = 0.35

/** Assigns the price difference of every cell of a group; rounding where it explains it. */
export const assignPrices = (book: PriceBook, group: Group, buckets: readonly Bucket[]): void => {
  const open = group.workings.filter((working) => !isRounding(working))
  const crosses = group.workings.some(
    ({ cell, price }) =>
      price !== null &&
      weightOf(price) > Number(listPrice(book, cell, buckets[cell.bucket]?.fromMs ?? 0) ?? Infinity)
  )
  for (const working of open) {
    const { cell } = working
    const timeMs = buckets[cell.bucket]?.fromMs ?? 0
    const cause =
      working.price === null
        ? 'unpriced'
        : ((crosses ? sizeCause(book, working, timeMs) : null) ??
          classCause(book, working, timeMs) ??
          blendCause(book, working, { open, timeMs }) ??
          'price')
    addPart(cell, cause, differenceOf(working))
  }
}

const differenceOf = ({ cell, price, billed }: Working): bigint =>
  chargedOnce(cell) - valueOf(price, billed ?? 0)

const size = (pico: bigint): bigint => (pico < 0n ? -pico : pico)

/** Bill lines without money or tokens have no price to differ in. */
const isRounding = (working: Working): boolean => {
  const { cell, billed } = working
  if (cell.billedPico === null || billed === null) return true
  const difference = differenceOf(working)
  if (size(difference) > cell.roundingPico + 1n) return false
  addPart(cell, 'rounding', difference)
  return true
}

type Other = { cause: Cause; pico: bigint }

/** Prices that the same tokens would have in another class. */
const otherPrices = (book: PriceBook, { cell }: Working, timeMs: number): Other[] => {
  const own = cell.tier ?? 'standard'
  const tiers = TIERS.filter((tier) => tier !== own).map((tier) => ({
    cause: (tier === 'batch' || own === 'batch'
      ? 'misclassified_batch'
      : 'misclassified_tier') as Cause,
    pico: listPrice(book, { ...cell, tier }, timeMs)
  }))
  const lives = WRITE_METERS.filter(
    (meter) => cell.meter.startsWith('in_cache_write') && meter !== cell.meter
  ).map((meter) => ({
    cause: 'misclassified_cache_ttl' as Cause,
    pico: listPrice(book, { ...cell, meter }, timeMs)
  }))
  return [...lives, ...tiers].flatMap(({ cause, pico }) =>
    pico === null || Number(pico) === weightOf(listFraction(book, cell, timeMs))
      ? []
      : [{ cause, pico }]
  )
}

const listFraction = (
  book: PriceBook,
  cell: Working['cell'],
  timeMs: number
): { pico: bigint; tokens: bigint } => ({ pico: listPrice(book, cell, timeMs) ?? -1n, tokens: 1n })

/** Causes that put tokens into a cell or take them out. */
const MOVES = [
  'unseen_calls',
  'unbilled_calls',
  'misclassified_batch',
  'misclassified_tier',
  'misclassified_cache_ttl'
] as const

/**
 * Calls that came or went were valued at the average price of the cell. Where some of our prompts
 * are in a larger size tier, what is left may be that theirs is another: then it goes with them.
 */
const sizeCause = (book: PriceBook, working: Working, timeMs: number): Cause | null => {
  const { cell, price } = working
  const prices = listPrices(book, cell, timeMs).map(Number)
  const [least, most] = [Math.min(...prices), Math.max(...prices)]
  if (prices.length < 2 || least === most) return null
  const moves = MOVES.map((cause) => ({ cause, pico: Number(cell.parts[cause] ?? 0n) }))
  const [largest] = moves.toSorted((left, right) => Math.abs(right.pico) - Math.abs(left.pico))
  if (largest === undefined || largest.pico === 0) return null
  const tokens = largest.pico / weightOf(price)
  const each = (largest.pico + Number(differenceOf(working))) / tokens
  return each >= least && each <= most ? largest.cause : null
}

const classCause = (book: PriceBook, working: Working, timeMs: number): Cause | null => {
  const { cell, billed } = working
  if (billed === null || billed <= 0 || cell.billedPico === null) return null
  const amount = chargedOnce(cell)
  const found = otherPrices(book, working, timeMs).find(
    ({ pico }) => size(amount - BigInt(Math.round(billed)) * pico) <= cell.roundingPico + 1n
  )
  return found?.cause ?? null
}

/**
 * Shares of the bill's tokens at another tier's price, by class of the same day. A price change is
 * one factor, or touches one class; mislabelled calls give every class a similar, not an equal,
 * share.
 */
const blendCause = (
  book: PriceBook,
  working: Working,
  { open, timeMs }: { open: readonly Working[]; timeMs: number }
): Cause | null => {
  const peers = open.filter(
    ({ cell }) => cell.bucket === working.cell.bucket && cell.tier === working.cell.tier
  )
  if (peers.length < 2 || working.cell.tier !== null) return null
  for (const tier of TIERS) {
    if (tier === (working.cell.tier ?? 'standard') && !isMixed(book, working, timeMs)) continue
    const shares = peers.map((peer) => shareAt(book, peer, { tier, timeMs }))
    const known = shares.filter((share) => share !== null)
    if (known.length !== shares.length || known.some((share) => share <= 0 || share > 1.0001))
      continue
    const spread = Math.max(...known) - Math.min(...known)
    if (spread < SHARE_SAME || spread > SHARE_SPREAD_MAX) continue
    return isBatch(working, tier) ? 'misclassified_batch' : 'misclassified_tier'
  }
  return null
}

const isBatch = ({ cell }: Working, tier: string): boolean =>
  tier === 'batch' || cell.tier === 'batch' || cell.tier === null

/** Where the bill tells no tiers apart, our own price may be a mixture already. */
const isMixed = (book: PriceBook, { cell, price }: Working, timeMs: number): boolean =>
  cell.tier === null && Number(listPrice(book, cell, timeMs) ?? -1n) !== weightOf(price)

type At = { tier: string; timeMs: number }

const shareAt = (book: PriceBook, { cell, price, billed }: Working, at: At): number | null => {
  const other = listPrice(book, { ...cell, tier: at.tier }, at.timeMs)
  const own = weightOf(price)
  if (other === null || billed === null || billed <= 0 || Number(other) === own) return null
  return (Number(chargedOnce(cell)) / billed - own) / (Number(other) - own)
}
