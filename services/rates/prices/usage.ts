import { costPico, formatUsd } from '../../../schemas/money.ts'
import {
  hasUsage,
  PRICED_BUCKETS,
  PRICED_MODALITIES,
  promptTokens,
  type TokenCounts
} from './buckets.ts'
import type { PriceBook } from './book.ts'
import { rememberedPriceAt } from './price-memo.ts'
import { bandFor, resolveRate, type Price, type PriceQuery } from './price.ts'

/** A sub-inference inside one response; without a model it ran on the call's own. */
export type Iteration = TokenCounts & { model?: string | null | undefined }

/** Fields of the query as events carry them: absent is null. */
type PartialQuery = { [Name in keyof PriceQuery]?: PriceQuery[Name] | undefined }

export type PricedUsage = PartialQuery & {
  tokens: TokenCounts
  /** Non-token meters: searches, pages … */
  units?: Readonly<Record<string, number>> | null | undefined
  /** When present they replace the call's own tokens, each at its own model's price. */
  iterations?: readonly Iteration[] | null | undefined
  /** Time of the call, milliseconds since the epoch. */
  timeMs: number
}

export type UsageCost = {
  /** Cost in pico-dollars; null when unpriced or nothing is reported. */
  costPico: bigint | null
  /** By bucket, and by unit under `unit:<name>`. */
  partsPico: Readonly<Record<string, bigint>>
  priceId: string | null
  /** Why there is no cost although there is usage. */
  unpriced: string | null
  assumptions: readonly string[]
}

/** Meters that providers report beside tokens without charging for them twice. */
const INFORMATIVE_UNITS: readonly string[] = ['seconds', 'images', 'pages', 'characters', 'videos']

/** Exact cost of one call. Never 0 for want of a price. */
export const priceUsage = (book: PriceBook, usage: PricedUsage): UsageCost => {
  const query = toQuery(usage)
  const isSplit = usage.iterations != null && usage.iterations.length > 0
  const parts = isSplit
    ? (usage.iterations ?? []).map((iteration) =>
        tokensCost(book, withModel(query, iteration.model), {
          tokens: iteration,
          timeMs: usage.timeMs
        })
      )
    : [tokensCost(book, query, usage)]
  const units = unitsCost(book, query, usage)
  return sumCosts(units === null ? parts : [...parts, units])
}

const toQuery = (usage: PartialQuery): PriceQuery => ({
  provider: usage.provider ?? null,
  request_model: usage.request_model ?? null,
  response_model: usage.response_model ?? null,
  service_tier: usage.service_tier ?? null,
  region: usage.region ?? null,
  batch: usage.batch ?? null,
  provider_account: usage.provider_account ?? null
})

const withModel = (query: PriceQuery, model: string | null | undefined): PriceQuery =>
  model == null ? query : { ...query, response_model: model }

const NOTHING: UsageCost = {
  costPico: null,
  partsPico: {},
  priceId: null,
  unpriced: null,
  assumptions: []
}

type Call = { tokens: TokenCounts; timeMs: number }

const tokensCost = (book: PriceBook, query: PriceQuery, { tokens, timeMs }: Call): UsageCost => {
  if (!hasUsage(tokens)) return NOTHING
  const { bands, unpriced } = rememberedPriceAt(book, query, timeMs)
  if (bands === null) return { ...NOTHING, unpriced }
  return costAt(bandFor(bands, promptTokens(tokens)), tokens)
}

/** Cost of tokens at a known price, by bucket. */
export const costAt = (price: Price, tokens: TokenCounts): UsageCost => {
  const charges = PRICED_BUCKETS.map((bucket) => ({
    ...bucket,
    count: bucket.tokens(tokens),
    ...resolveRate(price.rates, bucket.rate)
  })).filter(({ count }) => count > 0)
  const missing = charges.find(({ pico }) => pico === null)
  const supposed = charges.filter(({ assumed, rate }) => assumed !== null && rate !== 'reasoning')
  const partsPico: Record<string, bigint> = Object.fromEntries(
    charges.map(({ name, pico, count }) => [name, costPico(BigInt(pico ?? 0), count)])
  )
  for (const { bucket, pico } of modalityExtras(price, tokens)) {
    partsPico[bucket] = (partsPico[bucket] ?? 0n) + pico
  }
  return {
    costPico: missing === undefined ? sum(Object.values(partsPico)) : null,
    partsPico: missing === undefined ? partsPico : {},
    priceId: missing === undefined ? price.id : null,
    unpriced: missing === undefined ? null : `no price of ${missing.name}`,
    assumptions: [
      ...price.assumptions,
      ...supposed.map(({ name, assumed }) => `${name} priced as ${assumed}`)
    ]
  }
}

const modalityExtras = (price: Price, tokens: TokenCounts): { bucket: string; pico: bigint }[] =>
  PRICED_MODALITIES.map((modality) => {
    const own = resolveRate(price.rates, modality.rate).pico ?? 0
    const extra = own - (resolveRate(price.rates, modality.base).pico ?? 0)
    return { bucket: modality.within, pico: costPico(BigInt(extra), modality.tokens(tokens)) }
  }).filter(({ pico }) => pico !== 0n)

const sum = (parts: readonly bigint[]): bigint => parts.reduce((left, right) => left + right, 0n)

const unitsCost = (book: PriceBook, query: PriceQuery, usage: PricedUsage): UsageCost | null => {
  const counts = Object.entries(usage.units ?? {}).filter(([, count]) => count > 0)
  if (counts.length === 0) return null
  const { bands, unpriced } = rememberedPriceAt(book, query, usage.timeMs)
  if (bands === null) return { ...NOTHING, unpriced }
  const price = bandFor(bands, promptTokens(usage.tokens))
  const charged = counts.flatMap(([name, count]) => {
    const pico = unitPico(price, name)
    return pico === 'free' ? [] : [{ name, count, pico }]
  })
  if (charged.length === 0) return null
  const missing = charged.find(({ pico }) => pico === null)
  if (missing !== undefined) return { ...NOTHING, unpriced: `no price of unit ${missing.name}` }
  const parts = charged.map(({ name, count, pico }): [string, bigint] => [
    `unit:${name}`,
    costPico(BigInt(pico ?? 0), count)
  ])
  return {
    ...NOTHING,
    costPico: sum(parts.map(([, pico]) => pico)),
    partsPico: Object.fromEntries(parts),
    priceId: price.id,
    assumptions: price.assumptions
  }
}

/** Price of one unit in pico-dollars; null = the book lacks it, free = told but never charged. */
export const unitPico = ({ units, rates }: Price, name: string): number | null | 'free' =>
  units[name] ?? (INFORMATIVE_UNITS.includes(name) && rates.in !== undefined ? 'free' : null)

/** Sum of parts; unpriced as soon as one part is. */
const sumCosts = (costs: readonly UsageCost[]): UsageCost => {
  const partsPico: Record<string, bigint> = {}
  for (const cost of costs) {
    for (const [name, pico] of Object.entries(cost.partsPico)) {
      partsPico[name] = (partsPico[name] ?? 0n) + pico
    }
  }
  const unpriced = costs.find((cost) => cost.unpriced !== null)?.unpriced ?? null
  const known = costs.flatMap((cost) => cost.costPico ?? [])
  return {
    costPico: unpriced === null && known.length > 0 ? sum(known) : null,
    partsPico,
    priceId:
      unpriced === null ? (costs.find((cost) => cost.priceId !== null)?.priceId ?? null) : null,
    unpriced,
    assumptions: [...new Set(costs.flatMap((cost) => cost.assumptions))]
  }
}

/** The same figures as decimal strings in USD, as commands and the API print them. */
export const costInUsd = (
  cost: UsageCost
): {
  /** `total` in all, the rest by bucket and unit; `total` is null when there is no price. */
  cost_usd: { total: string | null } & Record<string, string | null>
  price_id: string | null
  unpriced: string | null
  assumptions: readonly string[]
} => ({
  cost_usd: {
    total: cost.costPico === null ? null : formatUsd(cost.costPico),
    ...Object.fromEntries(
      Object.entries(cost.partsPico).map(([name, pico]) => [name, formatUsd(pico)])
    )
  },
  price_id: cost.priceId,
  unpriced: cost.unpriced,
  assumptions: cost.assumptions
})
