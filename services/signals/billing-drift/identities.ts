import type { PriceBook } from '../../rates/prices/book.ts'
import { priceUsage, type PricedUsage } from '../../rates/prices/usage.ts'
import type { DifferingCall } from './call.ts'
import { HYPOTHESES, type Side } from './hypotheses.ts'

/** What one differing call says about its cause. */
export type Verdict = {
  cause: string
  side: Side
  tokenClass: string
  /** Share of the class that is concerned, 0 to 1; null where there is no such thing. */
  share: number | null
  /** Whether the whole class explains the difference exactly. */
  isWhole: boolean
}

/** Amounts agree when they are this close, relative to the difference that is to be explained. */
const IDENTITY_TOLERANCE = 0.002
/** How far from a whole number a count of tokens may be. */
const WHOLE_TOLERANCE = 0.02
/** Fewer tokens than this are a whole number too easily. */
const TOKENS_MIN = 3
/** The statement's token part and ours are the same when they differ by no more. */
const TOKENS_AGREE = 0.01

/**
 * Causes that fit, the surest first: charges beside tokens, identities of a whole class, then parts
 * of a class. Empty when nothing fits; then the price itself differs.
 */
export const explain = (book: PriceBook, call: DifferingCall): Verdict[] => {
  const charge = extraCharge(call)
  if (charge !== null) return charge
  const priceOf = pricing(book, call)
  const whole: Verdict[] = []
  const part: Verdict[] = []
  for (const { cause, side, tokenClass, all, one } of HYPOTHESES) {
    const names = { cause, side, tokenClass }
    const changed = all(call.usage)
    if (changed !== null && isIdentity(call, priceOf(changed))) {
      whole.push({ ...names, share: 1, isWhole: true })
      continue
    }
    const single = one?.(call.usage) ?? null
    const share = single === null ? null : wholeTokens(call, priceOf(single.usage), single.most)
    if (share !== null) part.push({ ...names, share, isWhole: false })
  }
  return whole.length > 0 ? whole : part
}

/** Where the statement gives its token part, that decides between charges and prices. */
const extraCharge = ({ statedTokens, metered, stated }: DifferingCall): Verdict[] | null => {
  if (statedTokens === null) return null
  const isOurs = Math.abs(statedTokens - metered) <= TOKENS_AGREE * metered
  if (!isOurs || stated <= metered) return null
  const names = { cause: 'tool-charge', side: 'stated', tokenClass: 'unit' } as const
  return [{ ...names, share: null, isWhole: true }]
}

/** Prices by our book, scaled to what the call was really metered at, such as a discount. */
const pricing = (book: PriceBook, { usage, metered }: DifferingCall) => {
  const own = priceUsage(book, usage).costPico
  const scale = own === null || own === 0n ? null : metered / Number(own)
  return (changed: PricedUsage): number | null => {
    const pico = scale === null ? null : priceUsage(book, changed).costPico
    return pico === null || scale === null ? null : Number(pico) * scale
  }
}

const isIdentity = (
  { metered, stated, rounding }: DifferingCall,
  priced: number | null
): boolean => {
  if (priced === null) return false
  const difference = Math.abs(stated - metered)
  return (
    Math.abs(priced - metered) > difference / 2 &&
    Math.abs(priced - stated) <= Math.max(IDENTITY_TOLERANCE * difference, rounding, 1)
  )
}

/**
 * Share of the class's tokens that makes up the difference, when that is a whole number of them. Of
 * one call that may be chance, one time in 25; the fold waits for more.
 */
const wholeTokens = (
  { metered, stated }: DifferingCall,
  priced: number | null,
  most: number
): number | null => {
  if (priced === null) return null
  const perToken = priced - metered
  if (perToken === 0) return null
  const tokens = (stated - metered) / perToken
  const isWhole = Math.abs(tokens - Math.round(tokens)) <= WHOLE_TOLERANCE
  return isWhole && tokens >= TOKENS_MIN && tokens <= most ? Math.min(1, tokens / most) : null
}
