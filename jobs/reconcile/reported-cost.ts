import type { UsageEvent } from '../../schemas/event.ts'
import { roundUsd } from '../../schemas/money.ts'
import type { PriceBook } from '../../services/rates/prices/book.ts'
import { priceEvent } from '../../services/rates/prices/event-cost.ts'
import type { Cause } from './causes.ts'

/** A call whose response states what it cost, beside what our book says. */
export type ReportedCost = {
  reportedPico: bigint
  oursPico: bigint | null
  /** Null when the two agree. */
  cause: Extract<Cause, 'tool_charges' | 'price' | 'unpriced'> | null
}

/** Differences up to one per cent are rounding of the stated figure. */
const AGREES_PERCENT = 1n

/**
 * Compares and says what the difference is: where the response states its token part and that part
 * is ours, the rest was charged for tools; otherwise the price differs.
 * @returns null when the response states no cost.
 */
export const compareReported = (book: PriceBook, event: UsageEvent): ReportedCost | null => {
  if (event.cost_reported_usd == null) return null
  const reportedPico = roundUsd(event.cost_reported_usd)
  const { costPico: oursPico } = priceEvent(book, event)
  if (oursPico === null) return { reportedPico, oursPico, cause: 'unpriced' }
  if (agrees(reportedPico, oursPico)) return { reportedPico, oursPico, cause: null }
  const tokensPico = statedTokens(event.usage)
  const isTools = tokensPico !== null && agrees(tokensPico, oursPico) && reportedPico > oursPico
  return { reportedPico, oursPico, cause: isTools ? 'tool_charges' : 'price' }
}

const agrees = (left: bigint, right: bigint): boolean => {
  const off = left > right ? left - right : right - left
  return off * 100n <= right * AGREES_PERCENT
}

/** The token part of the cost, where the provider splits it: OpenRouter's `cost_details`. */
const statedTokens = (usage: UsageEvent['usage']): bigint | null => {
  const details = usage?.['cost_details']
  if (typeof details !== 'object' || details === null) return null
  const parts = Object.entries(details).filter(
    ([name, value]) =>
      /^upstream_inference_(?:prompt|completions)_cost$/.test(name) && value != null
  )
  if (parts.length === 0) return null
  return parts.reduce((sum, [, value]) => sum + roundUsd(Number(value)), 0n)
}
