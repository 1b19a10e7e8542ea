import { contentHash } from '../../content-hash.ts'
import { faultAt } from '../../fault.ts'
import { isJsonObject, textIn, valueIn, type JsonObject } from '../../json-value.ts'
import { label } from '../../label.ts'
import { jsonItems } from '../json-items.ts'
import { defineSource, type Candidate, type Message, type Reading } from '../source.ts'

/**
 * JSON access logs with the gateway's metadata (envoyproxy/ai-gateway
 * `site/docs/capabilities/observability/accesslogs.md`). Operators choose the keys; these are the
 * ones that its guide and examples use, and the metadata's own. Other keys: dialect `mapping`.
 */
const NAMES = {
  time: ['start_time', 'timestamp', '@timestamp'],
  model: ['genai_model_name', 'genai_request_model', 'x-ai-eg-model', 'request_model'],
  served: ['genai_model_name_override', 'genai_response_model', 'model_name_override'],
  backend: ['genai_backend_name', 'backend_name', 'genai_provider_name'],
  input: ['genai_tokens_input', 'llm_input_token', 'input_tokens'],
  output: ['genai_tokens_output', 'llm_output_token', 'output_tokens'],
  total: ['genai_tokens_total', 'llm_total_token', 'total_tokens'],
  cached: [
    'genai_tokens_cached_input',
    'genai_tokens_input_cached',
    'genai_tokens_cached',
    'llm_cached_input_token',
    'cached_input_tokens'
  ],
  created: [
    'genai_tokens_cache_creation_input',
    'genai_tokens_cache_creation',
    'llm_cache_creation_input_token',
    'cache_creation_input_tokens'
  ],
  reasoning: ['genai_tokens_reasoning', 'llm_reasoning_token', 'reasoning_tokens'],
  path: ['x-envoy-origin-path', 'x-envoy-original-path', 'path'],
  tenant: ['x-tenant-id', 'tenant_id', 'tenant'],
  user: ['x-user-id', 'user_id'],
  session: ['session_id', 'x-session-id', 'mcp_session_id']
} as const

/** Envoy writes what is absent as null, or as a dash where the format is text. */
const valueOf = (entry: JsonObject, names: readonly string[]): unknown => {
  for (const name of names) {
    const value = valueIn(entry, name)
    if (value !== null && value !== '-' && value !== '') return value
  }
  return null
}

const textOf = (entry: JsonObject, names: readonly string[]): string | null => {
  const value = valueOf(entry, names)
  return typeof value === 'string' ? label(value) : typeof value === 'number' ? String(value) : null
}

const DIGITS = /^\d{1,15}$/

const countOf = (entry: JsonObject, names: readonly string[]): unknown => {
  const value = valueOf(entry, names)
  return typeof value === 'string' && DIGITS.test(value) ? Number(value) : value
}

/** The counts as a block of OpenAI's shape, which is how the gateway normalises every provider. */
const usageOf = (entry: JsonObject): JsonObject | null => {
  const counts = {
    prompt_tokens: countOf(entry, NAMES.input),
    completion_tokens: countOf(entry, NAMES.output),
    total_tokens: countOf(entry, NAMES.total)
  }
  const cached = countOf(entry, NAMES.cached)
  const created = countOf(entry, NAMES.created)
  const reasoning = countOf(entry, NAMES.reasoning)
  const usage = {
    ...counts,
    prompt_tokens_details: { cached_tokens: cached, cache_write_tokens: created },
    completion_tokens_details: { reasoning_tokens: reasoning }
  }
  const isSilent = [...Object.values(counts), cached, created, reasoning].every(
    (one) => one === null
  )
  return isSilent ? null : usage
}

const HTTP_ERROR = 400

const callEvent = (entry: JsonObject): Candidate => {
  const model = textOf(entry, NAMES.model)
  const status = countOf(entry, ['response_code'])
  const failed = typeof status === 'number' && (status >= HTTP_ERROR || status === 0)
  const flags = textOf(entry, ['response_flags'])
  return {
    id: textOf(entry, ['x-request-id', 'request_id']) ?? contentHash(entry),
    source: 'envoy-ai-gateway',
    time: textOf(entry, NAMES.time),
    kind: /\/embeddings\b/.test(textOf(entry, NAMES.path) ?? '') ? 'embedding' : 'llm',
    tenant: textIn(entry, NAMES.tenant[0]) ?? textOf(entry, NAMES.tenant),
    user: textOf(entry, NAMES.user),
    conversation_id: textOf(entry, NAMES.session),
    duration_ms: countOf(entry, ['duration']) as number | null,
    status: status as number | null,
    error_type: failed ? (flags ?? textOf(entry, ['response_code_details']) ?? 'error') : null,
    emitter: 'envoy-ai-gateway',
    request_model: model,
    response_model: textOf(entry, NAMES.served),
    route: textOf(entry, ['route_name', 'upstream_cluster']),
    provider_account: textOf(entry, NAMES.backend),
    usage: usageOf(entry)
  }
}

const toolEvent = (entry: JsonObject): Candidate => ({
  ...callEvent(entry),
  kind: 'tool',
  name: textOf(entry, ['mcp_tool_name', 'mcp_backend']),
  usage: null
})

/** An entry says something about usage when it names a model, counts tokens, or calls a tool. */
const eventOf = (entry: JsonObject): Candidate | null => {
  if (textOf(entry, ['mcp_method']) === 'tools/call') return toolEvent(entry)
  const isCall = textOf(entry, NAMES.model) !== null || usageOf(entry) !== null
  return isCall ? callEvent(entry) : null
}

const read = (message: Message): Reading => {
  const { items, faults } = jsonItems(message)
  const reading: Reading = { items: [], faults, ignored: 0 }
  for (const { index, at, value } of items) {
    if (!isJsonObject(value)) {
      const told = 'not an access log entry: no JSON object'
      reading.faults.push(faultAt({ index, at }, { code: 'E_EVENT_INVALID', message: told, value }))
      continue
    }
    const event = eventOf(value)
    if (event === null) reading.ignored++
    else reading.items.push({ index, at, event })
  }
  return reading
}

export default defineSource({
  title: 'Envoy AI Gateway access logs',
  about:
    'JSON access logs of Envoy AI Gateway with the keys of its guide (`genai_model_name`, ' +
    '`genai_tokens_input` …) or of its metadata (`llm_input_token` …), from a file, a topic or ' +
    "Envoy's HTTP sink. A header x-tenant-id in the log names the tenant. A streamed call whose " +
    'usage the gateway missed has no counts, and stays a call.',
  doors: [],
  handling: 'lenient',
  framing: 'lines',
  tells: (
    'id source time tenant kind name user conversation_id duration_ms status error_type emitter ' +
    'request_model response_model route provider_account usage'
  ).split(' '),
  read
})
