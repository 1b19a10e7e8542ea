import type { UsageRule } from '../rule.ts'

/**
 * Cohere reports two truths: `tokens` is what the model saw, with its template, and
 * `billed_units` is what is charged, without it. Buckets hold what is charged, as OpenTelemetry
 * asks where the two differ; the block that is kept beside them holds both. `cached_tokens` is
 * part of what was seen, so it is no part of these buckets.
 */
export const cohereBilled: UsageRule = {
  family: 'cohere',
  provider: 'cohere',
  api: 'chat',
  apiNames: ['v2', 'v2/chat', 'v1/chat', 'rerank', 'embed', 'embeddings', 'classify'],
  prompt: [['billed_units', 'input_tokens']],
  completion: [['billed_units', 'output_tokens']],
  total: [],
  cacheRead: [],
  cacheWrite: [],
  reasoning: [],
  cache: 'inside',
  reasoningSide: 'inside',
  modalities: { in_image: [['billed_units', 'image_tokens']] },
  units: {
    search_units: [['billed_units', 'search_units']],
    classifications: [['billed_units', 'classifications']],
    images: [['billed_units', 'images']],
    pages: [['billed_units', 'pages']]
  },
  ignores: ['cached_tokens']
}

/** Blocks without billed units: what was seen is all there is. */
export const cohereSeen: UsageRule = {
  ...cohereBilled,
  prompt: [['tokens', 'input_tokens']],
  completion: [['tokens', 'output_tokens']],
  cacheRead: [['cached_tokens']],
  modalities: {},
  units: {},
  ignores: []
}
