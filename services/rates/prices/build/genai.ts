import { z } from 'zod'
import { roundUsd } from '../../../../schemas/money.ts'
import type { PriceWindow, RateCard, RateClass, Rates } from '../book-row.ts'
import { canonicalProvider } from '../providers.ts'
import { MatchRule } from './genai-match.ts'

/** Reads genai-prices: decimal strings in USD per million tokens, with dates and tiers. */

const Tiered = z.object({
  base: z.string(),
  tiers: z.array(z.object({ start: z.number(), price: z.string() }))
})
const Prices = z.record(z.string(), z.union([z.string(), Tiered]))
const Constraint = z
  .object({
    type: z.string(),
    start_date: z.string().optional(),
    start_time: z.string().optional(),
    end_time: z.string().optional()
  })
  .nullish()
const Dated = z.object({ constraint: Constraint, prices: Prices })
const Variant = Dated.extend({ when: z.record(z.string(), z.string()) })
const Model = z.object({
  id: z.string(),
  match: MatchRule,
  prices: z.union([z.array(Dated), Prices]),
  price_variants: z.array(Variant).optional()
})
const Providers = z.array(z.object({ id: z.string(), models: z.array(Model) }))
type Prices = z.infer<typeof Prices>
type Dated = z.infer<typeof Dated>
type Variant = z.infer<typeof Variant>

/** Prices of one model from a date on, by service tier. */
export type GenaiPeriod = {
  from: string | null
  cards: Record<string, RateCard>
  windows: PriceWindow[]
  units: Record<string, number>
}

export type GenaiModel = {
  providers: readonly string[]
  id: string
  match: MatchRule
  periods: GenaiPeriod[]
}

const CLASSES: Readonly<Record<string, RateClass>> = {
  input_mtok: 'in',
  output_mtok: 'out',
  cache_read_mtok: 'read',
  cache_write_mtok: 'write',
  cache_write_1h_mtok: 'write_1h',
  output_reasoning_mtok: 'reasoning',
  input_audio_mtok: 'in_audio',
  input_image_mtok: 'in_image',
  input_video_mtok: 'in_video',
  cache_audio_read_mtok: 'read_audio',
  cache_image_read_mtok: 'read_image',
  output_audio_mtok: 'out_audio',
  output_image_mtok: 'out_image'
}
const UNITS: Readonly<Record<string, string>> = {
  web_searches_kcount: 'web_search',
  storage_searches_kcount: 'file_search',
  requests_kcount: 'requests'
}
const UNITS_PER_PRICE = 1000n
const PICO_PER_TOKEN_AT_USD_PER_MILLION = 1_000_000n

/** genai-prices keeps both of Google's APIs, and both of Azure's, under one name. */
const SPREAD: Readonly<Record<string, readonly string[]>> = {
  google: ['gcp.gemini', 'gcp.vertex_ai'],
  azure: ['azure.ai.openai', 'azure.ai.inference']
}

export const genaiModels = (json: unknown): GenaiModel[] =>
  Providers.parse(json).flatMap(({ id, models }) =>
    models.map((model) => ({
      providers: SPREAD[id] ?? [canonicalProvider(id)],
      id: model.id.toLowerCase(),
      match: model.match,
      periods: periodsOf(
        Array.isArray(model.prices) ? model.prices : [{ prices: model.prices }],
        model.price_variants ?? []
      )
    }))
  )

const startOf = ({ constraint }: Dated): string | null => constraint?.start_date ?? null
const isHours = ({ constraint }: Dated): boolean => constraint?.start_time !== undefined

const periodsOf = (prices: readonly Dated[], variants: readonly Variant[]): GenaiPeriod[] => {
  const windows = prices.filter(isHours)
  const starts = prices.filter((dated) => !isHours(dated))
  const all = [...starts, ...splitting(variants)].map(startOf)
  const boundaries = [...new Set(all)].toSorted((a, b) => (a ?? '').localeCompare(b ?? ''))
  return boundaries.flatMap((from, index) => {
    const base = lastBefore(starts, from)
    if (base === undefined) return []
    const tiers = variantsIn(variants, boundaries[index + 1] ?? null)
    return {
      from,
      cards: {
        standard: cardOf(base.prices),
        ...Object.fromEntries(tiers.map(({ tier, prices: own }) => [tier, cardOf(own)]))
      },
      windows: windows.map(windowOf),
      units: unitsOf(base.prices)
    }
  })
}

/** A later variant of the same tier starts a period; the first only says when it was checked. */
const splitting = (variants: readonly Variant[]): Variant[] =>
  variants.filter((variant) =>
    variants.some(
      (other) =>
        tierOf(other) === tierOf(variant) && (startOf(other) ?? '') < (startOf(variant) ?? '')
    )
  )

const lastBefore = (dated: readonly Dated[], from: string | null): Dated | undefined =>
  dated
    .filter((candidate) => (startOf(candidate) ?? '') <= (from ?? ''))
    .toSorted((a, b) => (startOf(a) ?? '').localeCompare(startOf(b) ?? ''))
    .at(-1)

const tierOf = ({ when }: Variant): string =>
  when['processing'] === 'batch' ? 'batch' : (when['service_tier'] ?? Object.values(when).join('+'))

type TierPrices = { tier: string; prices: Prices }

const variantsIn = (variants: readonly Variant[], to: string | null): TierPrices[] => {
  const live = variants
    .filter((variant) => to === null || (startOf(variant) ?? '') < to)
    .filter((variant) => Object.keys(variant.prices).length > 0)
    .toSorted((a, b) => (startOf(a) ?? '').localeCompare(startOf(b) ?? ''))
  return [...new Map(live.map((variant) => [tierOf(variant), variant.prices]))].map(
    ([tier, prices]) => ({ tier, prices })
  )
}

const perToken = (usdPerMillion: string): number =>
  Number(roundUsd(usdPerMillion) / PICO_PER_TOKEN_AT_USD_PER_MILLION)

const cardOf = (prices: Prices): RateCard => {
  const rates: Rates = {}
  const sizes = new Map<number, Rates>()
  for (const [field, value] of Object.entries(prices)) {
    const name = CLASSES[field]
    if (name === undefined) continue
    rates[name] = perToken(typeof value === 'string' ? value : value.base)
    for (const { start, price } of typeof value === 'string' ? [] : value.tiers) {
      sizes.set(start + 1, { ...sizes.get(start + 1), [name]: perToken(price) })
    }
  }
  const tiers = [...sizes].map(([tokens, own]) => ({ tokens, rates: own }))
  return {
    rates,
    ...(tiers.length > 0 && { sizes: tiers.toSorted((a, b) => a.tokens - b.tokens) })
  }
}

const unitsOf = (prices: Prices): Record<string, number> =>
  Object.fromEntries(
    Object.entries(prices).flatMap(([field, value]) => {
      const unit = UNITS[field]
      return unit === undefined || typeof value !== 'string'
        ? []
        : [[unit, Number(roundUsd(value) / UNITS_PER_PRICE)]]
    })
  )

const EVERY_DAY = [1, 2, 3, 4, 5, 6, 7]
const minuteOf = (time: string | undefined): number => {
  const [hour = '0', minute = '0'] = (time ?? '0:0').split(':')
  return Number(hour) * 60 + Number(minute)
}

const windowOf = ({ constraint, prices }: Dated): PriceWindow => ({
  minutes: [[minuteOf(constraint?.start_time), minuteOf(constraint?.end_time)]],
  weekdays: EVERY_DAY,
  card: cardOf(prices)
})
