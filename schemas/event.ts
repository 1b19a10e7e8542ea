import { z } from 'zod'
import { TOKEN_FIELDS } from './tokens.ts'

/**
 * The native usage event, as sent over HTTP and in NDJSON files. Only `id`, `time`, `tenant` and
 * `kind` are required; what is missing is null. Unknown fields are refused except inside `tags`.
 */

export const KINDS = [
  'llm',
  'embedding',
  'tool',
  'retrieval',
  'rerank',
  'guardrail',
  'evaluation',
  'agent'
] as const

/** Bounds an identity or label: longer strings are content, which does not belong in a meter. */
export const TEXT_LENGTH_MAX = 1024
/** Bounds lists (hash ladders, scores, document ids, links) so that one event stays small. */
export const LIST_LENGTH_MAX = 512
/**
 * Bounds one event as Avro. An engine works on 2,048 rows at a time, holds several copies of them, and
 * has 512 MiB: larger events of one tenant could keep the hours of all from being settled. 24 KiB.
 */
export const EVENT_BYTES_MAX = 24 << 10
/** Bounds counts and durations: no call has 2^31 tokens, and squares of it still fit 64 bits. */
export const COUNT_MAX = 2 ** 31 - 1
/** No LLM usage is older; an earlier time is a clock or unit error. 2020-01-01T00:00:00Z. */
export const EVENT_TIME_MS_MIN = 1_577_836_800_000
/** How far an event may lie ahead of its arrival before its clock is wrong: a day. */
export const EVENT_AHEAD_MS_MAX = 86_400_000
/**
 * Control and invisible format characters forge names and log lines. The two joiners stay, since
 * Persian and Indic names need them.
 */
export const FORBIDDEN_CHARACTERS = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u

/** Most text is plain ASCII, which is told three times as fast as by Unicode properties. */
const PLAIN = /^[\x20-\x7e]*$/

const text = z
  .string()
  .min(1)
  .max(TEXT_LENGTH_MAX)
  .refine(
    (value) => PLAIN.test(value) || !FORBIDDEN_CHARACTERS.test(value),
    'no control or invisible characters'
  )
const word = text.nullish()
const count = z.int().min(0).max(COUNT_MAX).nullish()
const flag = z.boolean().nullish()
const words = z.array(text).max(LIST_LENGTH_MAX).nullish()
const decimal = z.string().regex(/^-?\d{1,18}(\.\d{1,18})?$/, 'a decimal number in a string')

const tokenCounts = Object.fromEntries(TOKEN_FIELDS.map((name) => [name, count])) as Record<
  (typeof TOKEN_FIELDS)[number],
  typeof count
>

/**
 * Buckets of one sub-inference; `model` names what served it, `type` what it was for (message,
 * compaction, advisor_message, fallback_message).
 */
const iteration = z.strictObject({ type: word, model: word, ...tokenCounts })

export const TokenCounts = z.strictObject({
  ...tokenCounts,
  units: z.record(z.string(), z.int().nonnegative()).nullish(),
  iterations: z.array(iteration).max(LIST_LENGTH_MAX).nullish()
})

export const UsageEvent = z.strictObject({
  id: text,
  source: word,
  time: z.iso.datetime({ offset: true }),
  tenant: text,
  kind: z.enum(KINDS),
  name: word,
  duration_ms: count,
  ttft_ms: count,
  queue_ms: count,
  project: word,
  team: word,
  user: word,
  tags: z.record(z.string(), z.string()).nullish(),
  trace_id: word,
  span_id: word,
  parent_span_id: word,
  operation_id: word,
  attempt: z.int().min(1).max(1_000_000).nullish(),
  conversation_id: word,
  request_id: word,
  response_id: word,
  links: words,
  provider: word,
  api: word,
  request_model: word,
  response_model: word,
  service_tier: word,
  region: word,
  route: word,
  fallback_from: word,
  emitter: word,
  provider_account: word,
  cache_pool: word,
  component_version: word,
  usage: z.record(z.string(), z.unknown()).nullish(),
  tokens: TokenCounts.nullish(),
  usage_convention: word,
  usage_confidence: word,
  usage_warnings: words,
  local: z.strictObject({ tokenizer: word, in: count, out: count }).nullish(),
  script: word,
  prefix: z
    .strictObject({ hash: word, blocks: words, block_tokens: z.int().positive().nullish() })
    .nullish(),
  system_prompt_hash: word,
  prompt_version: word,
  tools_hash: word,
  context_limit: count,
  cache_miss_reason: word,
  status: z.int().min(0).max(999).nullish(),
  error_type: word,
  stop_reason: word,
  stop_class: word,
  refusal: flag,
  output_schema: word,
  schema_valid: flag,
  schema_error: word,
  args_hash: word,
  result_hash: word,
  result_truncated: flag,
  verdict: z.enum(['pass', 'block', 'rewrite', 'refuse']).nullish(),
  scores: z.array(z.number()).max(LIST_LENGTH_MAX).nullish(),
  document_ids: words,
  candidates: count,
  score: z.number().nullish(),
  judge: word,
  host: word,
  gpu: word,
  n_gpus: z.int().positive().max(1_000_000).nullish(),
  precision: word,
  concurrency: z.number().positive().nullish(),
  temperature: z.number().nullish(),
  cost_reported_usd: decimal.nullish(),
  content_ref: word,
  batch: flag
})

export type UsageEvent = z.infer<typeof UsageEvent>
