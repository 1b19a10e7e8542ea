import { EVENT_FIELDS } from '../../../schemas/event-fields.ts'
import { TOKEN_FIELDS } from '../../../schemas/tokens.ts'

/**
 * Which witness is believed, by field. A block is taken from one witness as a whole, since its
 * parts belong together; any other field is taken from the best witness that tells it.
 *
 * | order | who comes first | what is taken |
 * |---|---|---|
 * | usage | who read the provider's own usage block: known totals, confidence, an end seen, block unaltered, more buckets, more output | tokens, units, usage, convention (one block) |
 * | near | who stood next to the provider: a gateway, then who saw the response, then spans | what served, how it ended, ids, times, cost, account, project, team, energy |
 * | caller | who stood next to the application: in a trace, outermost | trace, user, tags, prompt, prefix, local counts, schema |
 */
export type Order = 'usage' | 'near' | 'caller'

const USAGE_BLOCK: readonly string[] = [
  'usage',
  ...TOKEN_FIELDS,
  'units',
  'iterations',
  'usage_convention',
  'usage_confidence',
  'usage_warnings'
]

/** Columns that come from one witness together. */
export const BLOCKS: readonly { order: Order; columns: readonly string[] }[] = [
  { order: 'usage', columns: USAGE_BLOCK },
  { order: 'caller', columns: ['trace_id', 'span_id', 'parent_span_id'] },
  { order: 'near', columns: ['stop_reason', 'stop_class'] }
]

/** Blocks that not every witness has: they come from the first one that has their first column. */
export const OPTIONAL_BLOCKS: readonly { order: Order; columns: readonly string[] }[] = [
  { order: 'caller', columns: ['local_tokenizer', 'local_in', 'local_out'] },
  { order: 'caller', columns: ['prefix_hash', 'prefix_blocks', 'prefix_block_tokens'] }
]

/** The record's own identity: of the witness next to the provider, never mixed. */
export const PRINCIPAL: readonly string[] = ['id', 'source', 'time', 'tenant', 'kind', 'links']

const NEAR: ReadonlySet<string> = new Set(
  (
    'duration_ms ttft_ms queue_ms project team operation_id attempt request_id response_id ' +
    'provider api response_model service_tier region route fallback_from emitter ' +
    'provider_account cache_pool status error_type refusal cache_miss_reason batch ' +
    'cost_reported_usd host gpu n_gpus precision concurrency'
  ).split(' ')
)

const IN_BLOCKS = new Set([...BLOCKS, ...OPTIONAL_BLOCKS].flatMap(({ columns }) => columns))

/** Every other column, with its order. */
export const SINGLE: readonly { order: Order; column: string }[] = EVENT_FIELDS.map(
  ({ column }) => column
)
  .filter((column) => !IN_BLOCKS.has(column) && !PRINCIPAL.includes(column))
  .map((column) => ({ order: NEAR.has(column) ? 'near' : 'caller', column }))

/** Fields that all witnesses of a call should tell alike; a difference is a disagreement. */
export const COMPARED: readonly string[] = [
  'in_total',
  'out_total',
  'in_cache_read',
  'out_reasoning',
  'cost_reported_usd',
  'provider',
  'response_model',
  'service_tier',
  'status',
  'stop_class',
  'response_id',
  'project',
  'team'
]

/** A usage block whose names are those of span attributes went through an instrumentation. */
const IS_RETOLD = `coalesce(regexp_matches(e.usage, '^\\{"(gen_ai|llm|ai|langfuse)[._]'), false)`
/** Only who routes knows routes and accounts; otherwise by name. */
const IS_GATEWAY = `(e.route IS NOT NULL OR e.provider_account IS NOT NULL OR e.fallback_from IS NOT NULL
  OR coalesce(regexp_matches(coalesce(e.emitter, e.source), 'litellm|bifrost|envoy|portkey|kong|helicone|gateway', 'i'), false))`

/** 0 next to the provider, 3 furthest from it. */
const DISTANCE = `CASE WHEN ${IS_GATEWAY} THEN 0 WHEN e.usage IS NULL THEN 3 WHEN ${IS_RETOLD} THEN 2 ELSE 1 END`
const LAST = `e.time, coalesce(e.source, ''), e.id`

/** ORDER BY of each order, over a witness `e` that may be `inner_span` (its parent is a witness too). */
export const ORDERS: Readonly<Record<Order, string>> = {
  usage: `(e.in_total IS NULL AND e.out_total IS NULL),
    CASE e.usage_confidence WHEN 'high' THEN 0 WHEN 'medium' THEN 1 WHEN 'none' THEN 3 ELSE 2 END,
    (e.stop_reason IS NULL AND e.status IS NULL), ${IS_RETOLD},
    ${TOKEN_FIELDS.map((name) => `(e.${name} IS NULL)::INTEGER`).join(' + ')},
    e.out_total DESC NULLS LAST, ${DISTANCE}, ${LAST}`,
  near: `${DISTANCE}, ${LAST}`,
  caller: `(e.trace_id IS NULL), inner_span, ${DISTANCE} DESC, ${LAST}`
}
