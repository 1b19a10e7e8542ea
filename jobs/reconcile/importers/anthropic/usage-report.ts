import { z } from 'zod'
import { canonicalTier } from '../../../../services/rates/prices/service-tiers.ts'
import { defineImporter, type BillLine, type Meter } from '../../bill.ts'
import { parsePages, rfcBucket } from '../../pages.ts'

const count = z.number().nullish()
const Result = z.looseObject({
  model: z.string().nullish(),
  service_tier: z.string().nullish(),
  context_window: z.string().nullish(),
  uncached_input_tokens: count,
  cache_creation: z
    .looseObject({ ephemeral_5m_input_tokens: count, ephemeral_1h_input_tokens: count })
    .nullish(),
  cache_read_input_tokens: count,
  output_tokens: count,
  server_tool_use: z.looseObject({ web_search_requests: count }).nullish()
})
type Result = z.infer<typeof Result>

const meters = (result: Result): [Meter, number | null | undefined][] => [
  ['in_uncached', result.uncached_input_tokens],
  ['in_cache_read', result.cache_read_input_tokens],
  ['in_cache_write_5m', result.cache_creation?.ephemeral_5m_input_tokens],
  ['in_cache_write_1h', result.cache_creation?.ephemeral_1h_input_tokens],
  ['out', result.output_tokens],
  ['unit:web_search', result.server_tool_use?.web_search_requests]
]

export default defineImporter({
  schema: 'Claude Admin API, GET /v1/organizations/usage_report/messages',
  read: (text) =>
    parsePages(text, Result).flatMap(({ bucket, result }) =>
      meters(result).flatMap(([meter, quantity]): BillLine[] =>
        quantity == null || quantity === 0
          ? []
          : [
              {
                provider: 'anthropic',
                model: result.model ?? null,
                ...rfcBucket(bucket),
                meter,
                tier:
                  result.service_tier == null
                    ? null
                    : canonicalTier('anthropic', result.service_tier, null),
                quantity,
                requests: null,
                amountPico: null,
                roundingPico: 0n,
                label: `${result.model ?? 'all models'} ${meter}`,
                identity: JSON.stringify([bucket['starting_at'], result, meter])
              }
            ]
      )
    )
})
