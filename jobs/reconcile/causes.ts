/** Why a bill and our record differ. Every dollar of the gap falls under exactly one of these. */
export const CAUSES = {
  unseen_calls: 'Calls on the bill that we never saw.',
  unbilled_calls: 'Calls we saw that are not on the bill.',
  duplicates: 'Calls that we recorded more than once.',
  duplicate_charges: 'Charges or calls that the bill has more than once.',
  token_count: 'The bill counts other tokens than the response reported.',
  price: 'The bill applies another price than our book.',
  misclassified_cache_ttl: 'Cache writes charged at another time to live.',
  misclassified_batch: 'Batch calls charged as live ones, or the other way round.',
  misclassified_tier: 'Calls charged in another service tier or size tier.',
  misclassified_cache: 'Cached tokens charged as plain input, or the other way round.',
  tool_charges: 'Searches, sessions and other charges per unit.',
  timing: 'Calls that the bill counts in another day.',
  rounding: 'Amounts rounded on the bill.',
  credits: 'Credits, taxes and fees.',
  unpriced: 'Calls for which our book has no price.',
  unmapped: 'Lines of the bill that no model or meter of ours matches.',
  unexplained: 'What is left.'
} as const

export type Cause = keyof typeof CAUSES
