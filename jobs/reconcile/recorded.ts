import { createHash } from 'node:crypto'
import type { UsageEvent } from '../../schemas/event.ts'
import { billingProvider, modelKey } from '../../services/rates/prices/billing-names.ts'
import type { PriceBook } from '../../services/rates/prices/book.ts'
import { PRICED_BUCKETS, type TokenCounts } from '../../services/rates/prices/buckets.ts'
import { canonicalProvider } from '../../services/rates/prices/providers.ts'
import { canonicalTier } from '../../services/rates/prices/service-tiers.ts'
import { priceEvent } from '../../services/rates/prices/event-cost.ts'
import type { TokenMeter } from './bill.ts'

/** One call as we recorded and priced it, cut by the meters of a bill. */
export type Call = {
  timeMs: number
  endMs: number
  tenant: string
  provider: string
  model: string
  tier: string
  tokens: Partial<Record<TokenMeter, number>>
  pico: Partial<Record<TokenMeter, bigint>>
  units: Readonly<Record<string, number>>
  unitsPico: Readonly<Record<string, bigint>>
  /** Why it has no price; its cost then counts as nothing. */
  unpriced: string | null
  /** True for every copy of a call after the first. */
  isDuplicate: boolean
  /** Whether it failed, was cut off or refused: calls that some providers do not bill. */
  outcome: 'ok' | 'failed' | 'cancelled' | 'refused'
}

/** Meter of a bill that each bucket of ours falls under. */
const METER_OF: Readonly<Record<string, TokenMeter>> = {
  in_uncached: 'in_uncached',
  in_tool_use: 'in_uncached',
  in_cache_read: 'in_cache_read',
  in_cache_write_5m: 'in_cache_write_5m',
  in_cache_write_unk: 'in_cache_write_5m',
  in_cache_write_30m: 'in_cache_write_30m',
  in_cache_write_1h: 'in_cache_write_1h',
  in_cache_write_12h: 'in_cache_write_12h',
  out_text: 'out',
  out_reasoning: 'out'
}

/** Calls with usage among the events, priced, with the copies marked. */
export const recordedCalls = (book: PriceBook, events: readonly UsageEvent[]): Call[] => {
  const seen = new Set<string>()
  const models = new Map<string, string>()
  const nameOf = (provider: string, model: string): string => {
    const key = `${provider}\n${model}`
    const name = models.get(key) ?? modelKey(book, provider, model)
    models.set(key, name)
    return name
  }
  return events.filter(isCharged).map((event) => {
    const keys = identities(event)
    const isDuplicate = keys.some((key) => seen.has(key))
    for (const key of keys) seen.add(key)
    return { ...priceCall(book, event, nameOf), isDuplicate }
  })
}

const isCharged = ({ kind, provider, tokens }: UsageEvent): boolean =>
  provider != null && tokens != null && kind !== 'agent' && kind !== 'evaluation'

/**
 * What makes two events the same call: the dedupe key; the provider's own id of the response; or
 * everything that the event says, to the millisecond, under another id.
 */
const identities = (event: UsageEvent): string[] => {
  const { id, source, request_id: request, response_id: response, ...said } = event
  const key = `id ${JSON.stringify([event.tenant, source ?? null, id])}`
  if (response != null) return [key, `response ${event.provider} ${response}`]
  if (request != null) return [key, `request ${event.provider} ${request}`]
  return [key, `content ${createHash('sha256').update(JSON.stringify(said)).digest('base64')}`]
}

type NameOf = (provider: string, model: string) => string

const priceCall = (
  book: PriceBook,
  event: UsageEvent,
  nameOf: NameOf
): Omit<Call, 'isDuplicate'> => {
  const { units, iterations, ...counts } = event.tokens ?? {}
  const timeMs = Date.parse(event.time)
  const cost = priceEvent(book, event)
  const parts = iterations != null && iterations.length > 0 ? iterations : [counts]
  const unitParts = Object.entries(cost.partsPico).filter(([name]) => name.startsWith('unit:'))
  return {
    ...servedBy(event, nameOf),
    timeMs,
    endMs: timeMs + (event.duration_ms ?? 0),
    tenant: event.tenant,
    tokens: tokensByMeter(parts),
    pico: cost.unpriced === null ? picoByMeter(cost.partsPico) : {},
    units: units ?? {},
    unitsPico: Object.fromEntries(unitParts),
    unpriced: cost.unpriced,
    outcome: outcomeOf(event)
  }
}

const servedBy = (event: UsageEvent, nameOf: NameOf): Pick<Call, 'provider' | 'model' | 'tier'> => {
  const provider = canonicalProvider(event.provider ?? '')
  const model = event.response_model ?? event.request_model ?? ''
  return {
    provider: billingProvider(provider),
    model: nameOf(provider, model),
    tier: canonicalTier(provider, event.service_tier ?? null, event.batch ?? null)
  }
}

const tokensByMeter = (parts: readonly TokenCounts[]): Call['tokens'] => {
  const tokens: Call['tokens'] = {}
  for (const bucket of PRICED_BUCKETS) {
    const meter = METER_OF[bucket.name]
    const count = parts.reduce((sum, part) => sum + bucket.tokens(part), 0)
    if (meter !== undefined && count !== 0) tokens[meter] = (tokens[meter] ?? 0) + count
  }
  return tokens
}

const picoByMeter = (parts: Readonly<Record<string, bigint>>): Call['pico'] => {
  const pico: Call['pico'] = {}
  for (const [bucket, cost] of Object.entries(parts)) {
    const meter = METER_OF[bucket]
    if (meter !== undefined) pico[meter] = (pico[meter] ?? 0n) + cost
  }
  return pico
}

const outcomeOf = (event: UsageEvent): Call['outcome'] => {
  if (event.refusal === true) return 'refused'
  if (event.stop_class === 'cancelled' || event.status === 499) return 'cancelled'
  return (event.status ?? 200) >= 400 || event.error_type != null ? 'failed' : 'ok'
}
