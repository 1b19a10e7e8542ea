/**
 * Token buckets: disjoint integer counts that add up. `null` is "not reported" and never 0.
 * Totals are derived from the buckets; `out_total` alone is kept when a provider gives no split.
 */

/** Input buckets, disjoint. Cache writes are split by the time to live that was bought. */
export const INPUT_BUCKETS = [
  'in_uncached',
  'in_cache_read',
  'in_cache_write_5m',
  'in_cache_write_30m',
  'in_cache_write_1h',
  'in_cache_write_12h',
  'in_cache_write_unk',
  'in_tool_use'
] as const

/** Output buckets, disjoint. */
export const OUTPUT_BUCKETS = ['out_text', 'out_reasoning'] as const

/** Inclusive totals as the provider's own arithmetic gives them (the meaning of OpenTelemetry). */
export const TOTALS = ['in_total', 'out_total'] as const

/** Subsets of the buckets above by modality; informational unless priced apart. */
export const MODALITIES = [
  'in_audio',
  'in_image',
  'in_video',
  'in_cached_audio',
  'in_cached_image',
  'out_audio',
  'out_image'
] as const

export const BUCKETS = [...INPUT_BUCKETS, ...OUTPUT_BUCKETS] as const
export const TOKEN_FIELDS = [...BUCKETS, ...TOTALS, ...MODALITIES] as const

export type TokenField = (typeof TOKEN_FIELDS)[number]
export type Tokens = Partial<Record<TokenField, number | null>>
