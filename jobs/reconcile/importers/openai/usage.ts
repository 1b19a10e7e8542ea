import { z } from 'zod'
import { canonicalTier } from '../../../../services/rates/prices/service-tiers.ts'
import { defineImporter, type BillLine, type Meter } from '../../bill.ts'
import { parsePages, unixBucket } from '../../pages.ts'

const count = z.number().nullish()
const Result = z.looseObject({
  model: z.string().nullish(),
  batch: z.boolean().nullish(),
  service_tier: z.string().nullish(),
  num_model_requests: count,
  input_tokens: count,
  input_cached_tokens: count,
  input_uncached_tokens: count,
  input_cache_write_tokens: count,
  input_cache_write_30m_tokens: count,
  input_cache_write_12h_tokens: count,
  output_tokens: count,
  num_requests: count
})
type Result = z.infer<typeof Result>

/** Cached and written tokens are inside `input_tokens`: the uncached rest is worked out. */
const meters = (result: Result): [Meter, number][] => {
  const read = result.input_cached_tokens ?? 0
  const write = result.input_cache_write_tokens ?? 0
  const uncached = result.input_uncached_tokens ?? (result.input_tokens ?? 0) - read - write
  const split = result.input_cache_write_30m_tokens != null
  const long = result.input_cache_write_12h_tokens ?? 0
  const writes: [Meter, number][] = split
    ? [
        ['in_cache_write_30m', write - long],
        ['in_cache_write_12h', long]
      ]
    : [['in_cache_write', write]]
  const found: [Meter, number][] = [
    ['in_uncached', uncached],
    ['in_cache_read', read],
    ...writes,
    ['out', result.output_tokens ?? 0],
    ['unit:web_search', result.num_requests ?? 0]
  ]
  return found.filter(([, tokens]) => tokens !== 0)
}

const tierOf = ({ batch, service_tier: tier }: Result): string | null =>
  batch == null && tier == null ? null : canonicalTier('openai', tier ?? null, batch ?? null)

export default defineImporter({
  schema: 'OpenAI API reference, GET /organization/usage/completions and its siblings',
  read: (text) =>
    parsePages(text, Result).flatMap(({ bucket, result }) =>
      meters(result).map(([meter, quantity], index): BillLine => ({
        provider: 'openai',
        model: result.model ?? null,
        ...unixBucket(bucket),
        meter,
        tier: tierOf(result),
        quantity,
        requests: index === 0 ? (result.num_model_requests ?? null) : null,
        amountPico: null,
        roundingPico: 0n,
        label: `${result.model ?? 'all models'} ${meter}`,
        identity: JSON.stringify([bucket['start_time'], result, meter])
      }))
    )
})
