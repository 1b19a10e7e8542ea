import { INPUT_BUCKETS } from '../../../schemas/tokens.ts'
import { OUTPUT_TOKENS_MIN } from './inter-token.ts'

/** How what an estimate reads of a usage event is worked out of its columns. */

/** Event columns that name a deployment. */
export const DEPLOYMENT_COLUMNS = ['response_model', 'gpu', 'precision', 'n_gpus'] as const

/** Steps that a model serves: the others draw no energy that is told apart. */
const SERVED_KINDS: readonly string[] = ['llm', 'embedding']
export const IS_SERVED = `kind IN (${SERVED_KINDS.map((kind) => `'${kind}'`).join(', ')})`
export const isServed = (kind: string | null | undefined): boolean =>
  SERVED_KINDS.includes(kind ?? '')

/** Input that was computed: what is written to a cache was so like any other. */
export const COMPUTED_INPUT = INPUT_BUCKETS.filter((bucket) => bucket !== 'in_cache_read')
const COMPUTED_SUM = COMPUTED_INPUT.map((column) => `coalesce(${column}, 0)`).join(' + ')
const NOT_CACHED = 'in_total - coalesce(in_cache_read, 0)'

/**
 * Input tokens that were computed; null = not reported. Who tells the total alone has told it: all
 * that was not read from a cache.
 */
export const UNCACHED = `CASE
  WHEN in_uncached IS NULL AND ${NOT_CACHED} > 0 THEN greatest(${NOT_CACHED}, ${COMPUTED_SUM})
  WHEN coalesce(${COMPUTED_INPUT.join(', ')}) IS NOT NULL THEN ${COMPUTED_SUM} END`

/** Input tokens read from a cache; null = not reported. */
export const CACHED = 'in_cache_read'

/** Output tokens, reasoning included, as landing works out the total; null = not reported. */
export const OUT = `coalesce(out_total,
  CASE WHEN coalesce(out_text, out_reasoning) IS NOT NULL
    THEN coalesce(out_text, 0) + coalesce(out_reasoning, 0) END,
  CASE WHEN kind = 'embedding' THEN 0 END)`

/** Milliseconds per output token as `interTokenMs` has it; not above 0 or null = not known. */
export const INTER_TOKEN_MS = `CASE
  WHEN (${OUT}) < ${OUTPUT_TOKENS_MIN} THEN NULL
  WHEN ttft_ms IS NOT NULL AND coalesce(out_reasoning, 0) = 0
    THEN (duration_ms - ttft_ms)::DOUBLE / ((${OUT}) - 1)
  ELSE duration_ms::DOUBLE / (${OUT}) END`

/** When an event with a duration ran: from leaving its queue to its end, ms since the epoch. */
export const START_MS = '(epoch_ms("time") + coalesce(queue_ms, 0))'
export const END_MS = `greatest(${START_MS}, epoch_ms("time") + duration_ms)`
