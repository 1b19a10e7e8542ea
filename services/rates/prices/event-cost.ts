import type { UsageEvent } from '../../../schemas/event.ts'
import type { PriceBook } from './book.ts'
import { priceUsage, type UsageCost } from './usage.ts'

/** Exact cost of a native event with its tokens in buckets, units and sub-inferences included. */
export const priceEvent = (book: PriceBook, event: UsageEvent): UsageCost => {
  const { units, iterations, ...tokens } = event.tokens ?? {}
  return priceUsage(book, {
    provider: event.provider,
    request_model: event.request_model,
    response_model: event.response_model,
    service_tier: event.service_tier,
    region: event.region,
    batch: event.batch,
    provider_account: event.provider_account,
    tokens,
    units,
    iterations,
    timeMs: Date.parse(event.time)
  })
}
