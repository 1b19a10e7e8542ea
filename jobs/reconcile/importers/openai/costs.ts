import { z } from 'zod'
import { roundUsd } from '../../../../schemas/money.ts'
import { defineImporter, type BillLine, type Meter } from '../../bill.ts'
import { parsePages, unixBucket } from '../../pages.ts'

/** OpenAI's floats carry fifteen digits or so: what lies below a micro-cent is noise. */
const ROUNDING_PICO = 5_000n

const Result = z.looseObject({
  amount: z.looseObject({ value: z.union([z.number(), z.string()]), currency: z.string() }),
  line_item: z.string().nullish(),
  quantity: z.number().nullish(),
  quantity_unit: z.string().nullish(),
  project_id: z.string().nullish(),
  api_key_id: z.string().nullish(),
  user_id: z.string().nullish()
})

const TIERS: readonly (readonly [RegExp, string])[] = [
  [/\bbatch\b/, 'batch'],
  [/\bflex\b/, 'flex'],
  [/\bpriority\b|\bfast\b/, 'priority'],
  [/\bscale\b/, 'commitment']
]

/** Most exact first: a cached input is also an input. */
const METERS: readonly (readonly [RegExp, Meter])[] = [
  [/web[ _-]?search/, 'unit:web_search'],
  [/file[ _-]?search/, 'unit:file_search'],
  [/code[ _-]?interpreter/, 'unit:code_sessions'],
  [/vector[ _-]?store|storage/, 'unit:storage'],
  [/cache[ _-]?write.*12h|12h.*cache[ _-]?write/, 'in_cache_write_12h'],
  [/cache[ _-]?write.*30m|30m.*cache[ _-]?write/, 'in_cache_write_30m'],
  [/cache[ _-]?write|cache[ _-]?creation/, 'in_cache_write'],
  [/cached|cache[ _-]?read/, 'in_cache_read'],
  [/output|completion/, 'out'],
  [/input|prompt/, 'in_uncached'],
  [/credit|tax|refund/, 'credit']
]

const UNIT_SIZE: Readonly<Record<string, number>> = {
  tokens: 1,
  '1000_tokens': 1000,
  '1k_tokens': 1000,
  '1m_tokens': 1_000_000
}

/** The model stands before the first comma of a line item: `gpt-6-astra, input_tokens`. */
const describe = (lineItem: string): Pick<BillLine, 'model' | 'meter' | 'tier'> => {
  const lower = lineItem.toLowerCase()
  const comma = lower.indexOf(',')
  const rest = comma < 0 ? lower : lower.slice(comma + 1)
  const known = METERS.find(([pattern]) => pattern.test(rest))?.[1]
  // A charge without a model and without tokens is one for some tool or service.
  const meter = known ?? (comma < 0 ? (`unit:${rest.trim()}` as const) : 'unknown')
  return {
    model: comma < 0 ? null : lower.slice(0, comma).trim(),
    meter,
    tier: TIERS.find(([pattern]) => pattern.test(rest))?.[1] ?? 'standard'
  }
}

/** A line item that names tiers nowhere in the bill does not tell them apart. */
const withoutTiers = (lines: BillLine[]): BillLine[] =>
  lines.some(({ tier }) => tier !== 'standard')
    ? lines
    : lines.map((line) => ({ ...line, tier: null }))

export default defineImporter({
  schema: 'OpenAI API reference, GET /organization/costs grouped by line_item',
  read: (text) =>
    withoutTiers(
      parsePages(text, Result).map(({ bucket, result }): BillLine => {
        const { line_item: lineItem, amount, quantity, quantity_unit: unit } = result
        const size = UNIT_SIZE[unit ?? 'tokens'] ?? 1
        return {
          provider: 'openai',
          ...unixBucket(bucket),
          ...(lineItem == null
            ? { model: null, meter: 'unknown' as const, tier: null }
            : describe(lineItem)),
          quantity: quantity == null ? null : Math.round(quantity * size),
          requests: null,
          amountPico: roundUsd(amount.value),
          roundingPico: ROUNDING_PICO,
          label: lineItem ?? 'all line items',
          identity: JSON.stringify([bucket['start_time'], result])
        }
      })
    )
})
