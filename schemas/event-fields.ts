import { TOKEN_FIELDS } from './tokens.ts'

/**
 * The one table of what a usage event carries. Avro schema, Parquet columns, Delta schema and
 * data dictionary are derived from it. Fields are only ever added, at the end of a group, and
 * never renamed.
 *
 * Kinds of value, and what they become (Avro / Parquet):
 * - `time`     microseconds since the epoch, UTC (long timestamp-micros / TIMESTAMPTZ)
 * - `word`     a string that repeats across events: dictionary-coded on the hot path (string / VARCHAR)
 * - `id`       a string that is mostly unique (string / VARCHAR)
 * - `int`      32-bit integer, `long` 64-bit integer, `double`, `boolean`
 * - `words`    list of strings, `doubles` list of doubles
 * - `json`     verbatim JSON text (string / VARCHAR)
 */
export type FieldKind =
  | 'time'
  | 'word'
  | 'id'
  | 'int'
  | 'long'
  | 'double'
  | 'boolean'
  | 'words'
  | 'doubles'
  | 'json'
  /** Pico-dollars, 64 bits; only in topics of others. */
  | 'cost'

export type EventField = {
  /** Path in the native JSON event: `local.in`. */
  path: string
  /** Column in Avro and in the tables: `local_in`. */
  column: string
  kind: FieldKind
  required?: true
  comment: string
}

const field = (path: string, kind: FieldKind, comment: string): EventField => ({
  path,
  column: path.replaceAll('.', '_'),
  kind,
  comment
})

const required = (path: string, kind: FieldKind, comment: string): EventField => ({
  ...field(path, kind, comment),
  required: true
})

const tokenField = (name: string): EventField => ({
  ...field(`tokens.${name}`, 'long', `Tokens in ${name}; null = not reported.`),
  column: name
})

export const EVENT_FIELDS: readonly EventField[] = [
  required('id', 'id', 'Identity within source; tenant, source and id are the dedupe key.'),
  field('source', 'word', 'Who emitted the event.'),
  required('time', 'time', 'Start of the step.'),
  required('tenant', 'word', 'Who pays.'),
  required(
    'kind',
    'word',
    'llm, embedding, tool, retrieval, rerank, guardrail, evaluation, agent.'
  ),
  field('name', 'word', 'Name of the tool, stage, index or agent.'),
  field('duration_ms', 'long', 'Duration of the step in milliseconds.'),
  field('ttft_ms', 'long', 'Time to first token in milliseconds.'),
  field('queue_ms', 'long', 'Time spent queued in milliseconds.'),
  field('project', 'word', 'Project within the tenant.'),
  field('team', 'word', 'Team within the tenant.'),
  field('user', 'word', 'End user within the tenant.'),
  field('tags', 'json', 'Free-form labels, a JSON object of strings.'),
  field('trace_id', 'id', 'Tree that the step belongs to.'),
  field('span_id', 'id', 'The step itself.'),
  field('parent_span_id', 'id', 'The step that called it.'),
  field('operation_id', 'id', 'Logical operation that attempts belong to.'),
  field('attempt', 'int', 'Physical attempt, from 1.'),
  field('conversation_id', 'id', 'Conversation or session.'),
  field('request_id', 'id', "The provider's request id."),
  field('response_id', 'id', "The provider's response id."),
  field('links', 'words', 'Other spans of the same call, or the judged step of an evaluation.'),
  field('provider', 'word', 'Who served: openai, anthropic, gcp.vertex_ai …'),
  field('api', 'word', 'API of the provider: chat, responses, messages …'),
  field('request_model', 'word', 'Model that was asked for.'),
  field('response_model', 'word', 'Model that served.'),
  field('service_tier', 'word', 'Service tier that served.'),
  field('region', 'word', 'Region or inference geography.'),
  field('route', 'word', 'Route of the gateway.'),
  field('fallback_from', 'word', 'Model or route that this one replaced.'),
  field('emitter', 'word', 'Name and version of the emitting software.'),
  field('provider_account', 'word', 'Account or organisation at the provider.'),
  field('cache_pool', 'word', 'Prompt cache shared by tenants.'),
  field('component_version', 'word', 'Version of router, guardrail, reranker or agent.'),
  field('usage', 'json', "The provider's usage block, verbatim."),
  ...TOKEN_FIELDS.map(tokenField),
  {
    ...field('tokens.units', 'json', 'Non-token meters, a JSON object of integers.'),
    column: 'units'
  },
  {
    ...field(
      'tokens.iterations',
      'json',
      'Sub-inferences inside one response, each with model and buckets.'
    ),
    column: 'iterations'
  },
  field('usage_convention', 'word', 'Rule by which usage became buckets.'),
  field('usage_confidence', 'word', 'high, medium, low or none.'),
  field('usage_warnings', 'words', 'What did not add up while normalising.'),
  field('local.tokenizer', 'word', 'Tokenizer of the local count, with version.'),
  field('local.in', 'long', 'Input tokens counted on our side before the call.'),
  field('local.out', 'long', 'Output tokens counted on our side.'),
  field('script', 'word', 'Dominant script of the text, ISO 15924 or Code.'),
  field('prefix.hash', 'word', 'Identity of the cacheable prefix.'),
  field('prefix.blocks', 'words', 'Hash ladder: identity of the first 1, 2, 4, 8 … blocks.'),
  field('prefix.block_tokens', 'int', 'Tokens in a block of the ladder.'),
  field('system_prompt_hash', 'word', 'Identity of the system prompt.'),
  field('prompt_version', 'word', 'Version of the prompt template.'),
  field('tools_hash', 'word', 'Identity of the tool definitions.'),
  field('context_limit', 'long', 'Context window that the caller assumes, in tokens.'),
  field('cache_miss_reason', 'word', 'Reason of a cache miss as the provider gives it.'),
  field('status', 'int', 'HTTP status.'),
  field('error_type', 'word', 'Error class of the emitter or provider.'),
  field('stop_reason', 'word', 'Native stop reason.'),
  field('stop_class', 'word', 'Classed stop reason.'),
  field('refusal', 'boolean', 'Whether the model refused.'),
  field('output_schema', 'word', 'Schema of the structured output asked for.'),
  field('schema_valid', 'boolean', 'Whether this attempt satisfied the schema.'),
  field('schema_error', 'word', 'What failed in the structured output.'),
  field('args_hash', 'word', "Identity of the tool call's arguments."),
  field('result_hash', 'word', "Identity of the tool call's result."),
  field('result_truncated', 'boolean', 'Whether the recorded result was cut.'),
  field('verdict', 'word', 'Guardrail verdict: pass, block, rewrite, refuse.'),
  field('scores', 'doubles', 'Reranker scores of the documents kept, best first.'),
  field('document_ids', 'words', 'Documents kept, best first.'),
  field('candidates', 'int', 'Documents that came in.'),
  field('score', 'double', 'Judged score of an evaluation.'),
  field('judge', 'word', 'Who judged.'),
  field('host', 'word', 'Serving host.'),
  field('gpu', 'word', 'GPU model of the serving host.'),
  field('n_gpus', 'int', 'GPUs that served the call.'),
  field('precision', 'word', 'Numeric precision: fp16, fp8 …'),
  field('concurrency', 'double', 'Calls running together on the host.'),
  field('temperature', 'double', 'Sampling temperature.'),
  field('cost_reported_usd', 'word', 'Cost as the emitter reported it, decimal string in USD.'),
  field('content_ref', 'id', 'Reference into the flight recorder.'),
  field('batch', 'boolean', 'Whether the call ran in a batch API.')
]
