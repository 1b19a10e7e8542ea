import { z } from 'zod'
import { roundUsd } from '../../../../schemas/money.ts'
import type { BookRow, PriceWindow, RateCard, RateClass, Rates } from '../book-row.ts'
import { canonicalProvider } from '../providers.ts'
import { litellmUnits } from './litellm-units.ts'

/**
 * Reads LiteLLM's model_prices_and_context_window table: USD per token as JSON numbers, one flat
 * field per class, time to live, size tier and service tier.
 */

const Entry = z.looseObject({ litellm_provider: z.string(), mode: z.string().nullish() })
const Table = z.record(z.string(), z.looseObject({}))
type Entry = z.infer<typeof Entry>

/** Field stem → class of the book. */
const STEMS: readonly (readonly [string, RateClass])[] = [
  ['input_cost_per_token', 'in'],
  ['output_cost_per_token', 'out'],
  ['cache_read_input_token_cost', 'read'],
  ['cache_creation_input_token_cost', 'write'],
  ['output_cost_per_reasoning_token', 'reasoning'],
  ['input_cost_per_audio_token', 'in_audio'],
  ['input_cost_per_image_token', 'in_image'],
  ['input_cost_per_video_token', 'in_video'],
  ['output_cost_per_audio_token', 'out_audio'],
  ['output_cost_per_image_token', 'out_image'],
  ['cache_read_input_audio_token_cost', 'read_audio'],
  ['cache_read_input_image_token_cost', 'read_image']
]
const TIERS = ['batches', 'flex', 'priority', 'ultrafast', 'balanced', 'decisions']
const SUFFIX = new RegExp(
  `^(?:_above_(?<hours>1|12)hr)?(?:_above_(?<size>\\d+)k_tokens)?(?:_(?<tier>${TIERS.join('|')}))?$`
)
/** xAI's long-context price starts at the threshold, everybody else's above it. */
const INCLUSIVE: readonly string[] = ['x_ai']
const TOKENS_PER_K = 1000

type Field = { name: RateClass; tokens: number; tier: string; pico: number }

export const litellmRows = (json: unknown): BookRow[] =>
  Object.entries(Table.parse(json)).flatMap(([key, value]) => {
    const entry = Entry.safeParse(value)
    return entry.success && key !== 'sample_spec' ? (toRow(key, entry.data) ?? []) : []
  })

const toRow = (key: string, entry: Entry): BookRow | null => {
  const provider = canonicalProvider(entry.litellm_provider)
  const fields = fieldsOf(entry, INCLUSIVE.includes(provider) ? 0 : 1)
  const units = litellmUnits(entry, provider)
  const cards = cardsOf([...fields, ...rangesOf(entry)])
  if (Object.keys(cards).length === 0 && Object.keys(units).length === 0) return null
  const { model, region } = place(key, provider)
  const windows = windowsOf(entry)
  const tierPermille = multipliers(entry, ['fast'])
  const regionPermille = { ...multipliers(entry, ['us', 'eu']), ...uplifts(entry) }
  return {
    provider,
    model,
    ...(region && { region }),
    ...(entry.mode && { mode: entry.mode }),
    sources: ['litellm'],
    cards,
    ...(Object.keys(tierPermille).length > 0 && { tierPermille }),
    ...(Object.keys(regionPermille).length > 0 && { regionPermille }),
    ...(windows.length > 0 && { windows }),
    ...(Object.keys(units).length > 0 && { units })
  }
}

/** LiteLLM's keys start with its own provider prefix, at Bedrock and Azure with a region too. */
const place = (key: string, provider: string): { model: string; region: string | null } => {
  const parts = key.toLowerCase().split('/')
  const prefixed = parts.length > 1 && canonicalProvider(parts[0] ?? '') === provider
  const rest = prefixed ? parts.slice(1) : parts
  const [region = '', ...model] = rest
  const isRegion =
    (provider === 'aws.bedrock' && /^[a-z]{2}(?:-[a-z]+)+-\d$/.test(region)) ||
    (provider === 'azure.ai.openai' && ['us', 'eu'].includes(region))
  if (isRegion && model.length > 0) return { model: model.join('/'), region }
  if (provider === 'azure.ai.openai' && /^global(?:-standard)?$/.test(region)) {
    return { model: model.join('/'), region: 'global' }
  }
  return { model: rest.join('/'), region: null }
}

const fieldsOf = (entry: Entry, above: number): Field[] =>
  Object.entries(entry).flatMap(([key, value]) => {
    if (typeof value !== 'number') return []
    const stem = STEMS.find(([name]) => key.startsWith(name))
    const groups = stem && SUFFIX.exec(key.slice(stem[0].length))?.groups
    if (stem === undefined || groups === undefined) return []
    const size = Number(groups['size'] ?? 0) * TOKENS_PER_K
    return {
      name: timed(stem[1], groups['hours']),
      tokens: size === 0 ? 0 : size + above,
      tier: tierOf(groups['tier']),
      pico: picoPerToken(value)
    }
  })

const timed = (name: RateClass, hours: string | undefined): RateClass =>
  name === 'write' && hours !== undefined ? (hours === '1' ? 'write_1h' : 'write_12h') : name

const tierOf = (suffix: string | undefined): string =>
  suffix === undefined ? 'standard' : suffix === 'batches' ? 'batch' : suffix

export const picoPerToken = (usd: number): number => Number(roundUsd(usd))

/** `tiered_pricing`: [{range: [from, to], …}], each range a whole-prompt size tier. */
const rangesOf = (entry: Entry): Field[] => {
  const ranges = z.array(z.looseObject({ range: z.tuple([z.number(), z.number()]) }))
  const parsed = ranges.safeParse(entry['tiered_pricing'])
  if (!parsed.success) return []
  return parsed.data.flatMap((range) =>
    fieldsOf({ litellm_provider: '', ...range }, 0).map((field) => ({
      ...field,
      tokens: range.range[0] === 0 ? 0 : range.range[0] + 1
    }))
  )
}

const cardsOf = (fields: readonly Field[]): Record<string, RateCard> => {
  const cards: Record<string, RateCard> = {}
  for (const tier of new Set(fields.map((field) => field.tier))) {
    const own = fields.filter((field) => field.tier === tier)
    const bands = [...new Set(own.map(({ tokens }) => tokens))]
      .toSorted((left, right) => left - right)
      .map((tokens) => ({ tokens, rates: ratesOf(own.filter((field) => field.tokens === tokens)) }))
    const base = bands.find(({ tokens }) => tokens === 0)
    const sizes = bands.filter(({ tokens }) => tokens > 0)
    if (base === undefined) continue
    cards[tier] = { rates: base.rates, ...(sizes.length > 0 && { sizes }) }
  }
  return cards
}

const ratesOf = (fields: readonly Field[]): Rates =>
  Object.fromEntries(fields.map(({ name, pico }) => [name, pico]))

const PERMILLE = 1000

const multipliers = (entry: Entry, names: readonly string[]): Record<string, number> => {
  const specific = z.record(z.string(), z.number()).safeParse(entry['provider_specific_entry'])
  if (!specific.success) return {}
  return Object.fromEntries(
    names.flatMap((name) => {
      const times = specific.data[name]
      return times === undefined ? [] : [[name, Math.round(times * PERMILLE)]]
    })
  )
}

const uplifts = (entry: Entry): Record<string, number> => {
  const fields = {
    us: entry['regional_processing_uplift_multiplier_us'],
    eu: entry['regional_processing_uplift_multiplier_eu'],
    '*': entry['regional_endpoint_uplift_multiplier']
  }
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, times]) =>
      typeof times === 'number' ? [[name, Math.round(times * PERMILLE)]] : []
    )
  )
}

const Window = z.looseObject({
  hours_utc: z.union([z.string(), z.array(z.string())]),
  weekdays: z.array(z.int()).optional()
})
const OffPeak = z.looseObject({ windows: z.array(Window) })
const EVERY_DAY = [1, 2, 3, 4, 5, 6, 7]

const windowsOf = (entry: Entry): PriceWindow[] => {
  const offPeak = OffPeak.safeParse(entry['off_peak_pricing'])
  if (!offPeak.success) return []
  const base = cardsOf(fieldsOf(entry, 1))['standard']?.rates ?? {}
  const own = cardsOf(fieldsOf({ litellm_provider: '', ...offPeak.data }, 1))['standard']?.rates
  return offPeak.data.windows.map((window) => ({
    minutes: [window.hours_utc].flat().map(minutesOf),
    weekdays: window.weekdays ?? EVERY_DAY,
    card: { rates: { ...base, ...own } }
  }))
}

const minutesOf = (hours: string): [number, number] => {
  const [start = 0, end = 0] = hours.split('-').map((time) => {
    const [hour = '0', minute = '0'] = time.split(':')
    return Number(hour) * 60 + Number(minute)
  })
  return [start, end === 0 ? 1440 : end]
}
