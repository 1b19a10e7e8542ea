import type { UsageRule } from '../rule.ts'

/**
 * Cohere reports two truths: `tokens` is what the model saw, with its template, and
 * `billed_units` is what is charged. Buckets hold the first, units the second; where they differ
 * the price must follow the second. Cached tokens are part of `tokens`.
 */
export const cohere: UsageRule = {
  family: 'cohere',
  provider: 'cohere',
  api: 'chat',
  apiNames: ['v2', 'v2/chat', 'v1/chat', 'rerank', 'embed', 'embeddings', 'classify'],
  prompt: [['tokens', 'input_tokens']],
  completion: [['tokens', 'output_tokens']],
  total: [],
  cacheRead: [['cached_tokens']],
  cacheWrite: [],
  reasoning: [],
  cache: 'inside',
  reasoningSide: 'inside',
  modalities: { in_image: [['billed_units', 'image_tokens']] },
  units: {
    billed_input_tokens: [['billed_units', 'input_tokens']],
    billed_output_tokens: [['billed_units', 'output_tokens']],
    search_units: [['billed_units', 'search_units']],
    classifications: [['billed_units', 'classifications']],
    images: [['billed_units', 'images']],
    pages: [['billed_units', 'pages']]
  }
}

/** Embeddings report billed units only: they are the count. */
export const cohereBilled: UsageRule = {
  ...cohere,
  prompt: [['billed_units', 'input_tokens']],
  completion: [['billed_units', 'output_tokens']],
  units: {
    search_units: [['billed_units', 'search_units']],
    classifications: [['billed_units', 'classifications']],
    images: [['billed_units', 'images']],
    pages: [['billed_units', 'pages']]
  }
}
