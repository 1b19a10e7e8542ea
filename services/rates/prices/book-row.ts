import { z } from 'zod'

/**
 * One line of the shipped book: the prices of one model at one provider over one period. Rates
 * are integer pico-dollars per token, units integer pico-dollars per piece.
 */

/** Classes of tokens that can have a price of their own. `write` is the default time to live. */
export const RATE_CLASSES = [
  'in',
  'read',
  'write',
  'write_1h',
  'write_12h',
  'out',
  'reasoning',
  'in_audio',
  'in_image',
  'in_video',
  'read_audio',
  'read_image',
  'out_audio',
  'out_image'
] as const

export type RateClass = (typeof RATE_CLASSES)[number]

const pico = z.int().nonnegative()
const rates = z.partialRecord(z.enum(RATE_CLASSES), pico)

/** Whole-prompt size tier: from `tokens` input tokens on, all tokens of the call cost `rates`. */
const SizeTier = z.strictObject({ tokens: z.int().positive(), rates })

export const RateCard = z.strictObject({ rates, sizes: z.array(SizeTier).optional() })

/** Hours of the week (UTC) with prices of their own; minutes of the day, ISO weekdays 1-7. */
export const PriceWindow = z.strictObject({
  minutes: z.array(z.tuple([z.int().min(0).max(1440), z.int().min(0).max(1440)])),
  weekdays: z.array(z.int().min(1).max(7)),
  card: RateCard
})

export const Disagreement = z.strictObject({
  what: z.string(),
  /** Value by source, pico-dollars per token or unit. The book carries the first one. */
  values: z.record(z.string(), pico)
})

export const BookRow = z.strictObject({
  provider: z.string(),
  model: z.string(),
  /** Region with prices of its own; absent = every region. */
  region: z.string().optional(),
  aliases: z.array(z.string()).optional(),
  /** Start of the period, RFC 3339 date, inclusive; absent = since ever. */
  from: z.string().optional(),
  /** End of the period, exclusive; absent = open. */
  to: z.string().optional(),
  /** How `from` is known: stated by a source, or first seen in a dated table. */
  dated: z.enum(['stated', 'observed']).optional(),
  mode: z.string().optional(),
  sources: z.array(z.string()),
  /** By service tier: `standard`, `batch`, `flex`, `priority` … */
  cards: z.record(z.string(), RateCard),
  /** Tiers priced as a multiple of standard, in thousandths: `fast` 2000. */
  tierPermille: z.record(z.string(), z.int().positive()).optional(),
  /** Regions priced as a multiple, in thousandths; `*` = every region but `global`. */
  regionPermille: z.record(z.string(), z.int().positive()).optional(),
  windows: z.array(PriceWindow).optional(),
  units: z.record(z.string(), pico).optional(),
  notes: z.array(z.string()).optional(),
  disagreements: z.array(Disagreement).optional()
})

export type Rates = Partial<Record<RateClass, number>>
export type RateCard = z.infer<typeof RateCard>
export type PriceWindow = z.infer<typeof PriceWindow>
export type Disagreement = z.infer<typeof Disagreement>
export type BookRow = z.infer<typeof BookRow>

/** First line of the book file: where the figures come from. */
export const BookHeader = z.strictObject({
  book: z.literal('tallystream-prices'),
  /** Date of the newest source. */
  date: z.string(),
  sources: z.array(
    z.strictObject({
      id: z.string(),
      version: z.string(),
      date: z.string(),
      sha256: z.string(),
      licence: z.string()
    })
  )
})
export type BookHeader = z.infer<typeof BookHeader>
