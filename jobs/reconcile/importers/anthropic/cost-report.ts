import { z } from 'zod'
import { roundUsd } from '../../../../schemas/money.ts'
import { canonicalTier } from '../../../../services/rates/prices/service-tiers.ts'
import { defineImporter, type BillLine, type Meter } from '../../bill.ts'
import { parsePages, rfcBucket } from '../../pages.ts'

/** Amounts are decimal strings in cents: "123.45" is $1.2345. */
const CENTS_PER_USD = 100n
const PICO_PER_CENT = 10_000_000_000n

const Result = z.looseObject({
  amount: z.string(),
  currency: z.string().nullish(),
  cost_type: z.string().nullish(),
  token_type: z.string().nullish(),
  model: z.string().nullish(),
  service_tier: z.string().nullish(),
  context_window: z.string().nullish(),
  inference_geo: z.string().nullish(),
  description: z.string().nullish(),
  workspace_id: z.string().nullish()
})
type Result = z.infer<typeof Result>

const TOKEN_TYPES: Readonly<Record<string, Meter>> = {
  uncached_input_tokens: 'in_uncached',
  input_tokens: 'in_uncached',
  cache_read_input_tokens: 'in_cache_read',
  cache_creation_input_tokens: 'in_cache_write',
  'cache_creation.ephemeral_5m_input_tokens': 'in_cache_write_5m',
  'cache_creation.ephemeral_1h_input_tokens': 'in_cache_write_1h',
  output_tokens: 'out'
}
const COST_TYPES: Readonly<Record<string, Meter>> = {
  web_search: 'unit:web_search',
  code_execution: 'unit:code_sessions',
  session_usage: 'unit:agent_sessions'
}

const meterOf = ({ cost_type: cost, token_type: token }: Result): Meter => {
  if (cost != null && cost !== 'tokens') return COST_TYPES[cost] ?? `unit:${cost}`
  return TOKEN_TYPES[token ?? ''] ?? 'unknown'
}

/** Half of the last digit that the report prints; two digits of a cent are taken as exact. */
const roundingOf = (amount: string): bigint => {
  const decimals = (amount.split('.')[1] ?? '').length
  return PICO_PER_CENT / 10n ** BigInt(Math.min(decimals, 10)) / 2n
}

export default defineImporter({
  schema: 'Claude Admin API, GET /v1/organizations/cost_report grouped by description',
  read: (text) =>
    parsePages(text, Result).map(({ bucket, result }): BillLine => ({
      provider: 'anthropic',
      model: result.model ?? null,
      ...rfcBucket(bucket),
      meter: meterOf(result),
      tier:
        result.service_tier == null ? null : canonicalTier('anthropic', result.service_tier, null),
      quantity: null,
      requests: null,
      amountPico: roundUsd(result.amount) / CENTS_PER_USD,
      roundingPico: roundingOf(result.amount),
      label: result.description ?? result.cost_type ?? 'all costs',
      identity: JSON.stringify([bucket['starting_at'], result])
    }))
})
