import { listAt, objectAt, textAt, type Json } from './json.ts'
import { readStop } from './stop.ts'

/** What a response says about itself beside its token counts; null is "not said". */
export type Facts = {
  response_model: string | null
  response_id: string | null
  request_id: string | null
  service_tier: string | null
  speed: string | null
  region: string | null
  system_fingerprint: string | null
  stop_reason: string | null
  refused: boolean
  called: boolean
  cache_miss_reason: string | null
  cache_missed_tokens: unknown
  fallback_credit: string | null
  grounding_queries: number
  tool_usage: Json | null
  /** Calls of tools that the provider ran, by type of output item. */
  server_calls: Readonly<Record<string, number>> | null
  /** Usage of each model behind a compound one, as Groq lists it. */
  breakdown: readonly unknown[] | null
}

export const noFacts = (): Facts => ({
  response_model: null,
  response_id: null,
  request_id: null,
  service_tier: null,
  speed: null,
  region: null,
  system_fingerprint: null,
  stop_reason: null,
  refused: false,
  called: false,
  cache_miss_reason: null,
  cache_missed_tokens: null,
  fallback_credit: null,
  grounding_queries: 0,
  tool_usage: null,
  server_calls: null,
  breakdown: null
})

/** Adds what one body or event says to `facts`; what is said last holds. */
export const addFacts = (facts: Facts, body: Json, usage: Json | null): void => {
  const message = objectAt(body, 'message')
  const holder = message !== null && message['type'] === 'message' ? message : body
  facts.response_model = modelOf(holder) ?? facts.response_model
  facts.response_id = idOf(holder) ?? facts.response_id
  facts.request_id = requestIdOf(body) ?? facts.request_id
  facts.service_tier = tierAround(holder) ?? facts.service_tier
  if (usage !== null) addUsageFacts(facts, usage)
  facts.system_fingerprint = textAt(body, 'system_fingerprint') ?? facts.system_fingerprint
  facts.tool_usage = objectAt(body, 'tool_usage') ?? facts.tool_usage
  facts.grounding_queries = Math.max(facts.grounding_queries, groundingQueries(body))
  facts.server_calls = serverCalls(body) ?? facts.server_calls
  facts.breakdown = breakdownOf(body) ?? facts.breakdown
  addStop(facts, body, holder)
  addDiagnosis(facts, holder)
}

/** Adds what the usage block says of itself. */
export const addUsageFacts = (facts: Facts, usage: Json): void => {
  facts.service_tier = tierOf(usage) ?? facts.service_tier
  facts.speed = textAt(usage, 'speed') ?? facts.speed
  facts.region = regionOf(usage) ?? facts.region
  facts.fallback_credit =
    textAt(objectAt(usage, 'fallback_credit'), 'status') ?? facts.fallback_credit
}

const addStop = (facts: Facts, body: Json, holder: Json): void => {
  const stop = readStop(body)
  const reason = stop.reason ?? (holder === body ? null : textAt(holder, 'stop_reason'))
  facts.stop_reason = reason ?? facts.stop_reason
  facts.called ||= stop.called
  facts.refused ||= stop.refused || body['type'] === 'response.refusal.delta'
}

/** Bedrock names no model that served, except the one that a prompt router chose. */
const modelOf = (body: Json): string | null =>
  textAt(body, 'model') ??
  textAt(body, 'modelVersion') ??
  textAt(body, 'model_version') ??
  textAt(objectAt(body, 'response'), 'modelId') ??
  textAt(objectAt(objectAt(body, 'trace'), 'promptRouter'), 'invokedModelId') ??
  textAt(objectAt(objectAt(objectAt(body, 'metadata'), 'trace'), 'promptRouter'), 'invokedModelId')

const idOf = (body: Json): string | null =>
  textAt(body, 'id') ??
  textAt(body, 'responseId') ??
  textAt(body, 'response_id') ??
  textAt(objectAt(body, 'response'), 'id')

const requestIdOf = (body: Json): string | null =>
  textAt(body, '_request_id') ??
  textAt(body, 'request_id') ??
  textAt(body, 'requestId') ??
  textAt(objectAt(body, 'x_groq'), 'id') ??
  textAt(objectAt(body, '$metadata'), 'requestId')

const regionOf = (usage: Json | null): string | null => {
  const region = textAt(usage, 'inference_geo')
  return region === 'not_available' ? null : region
}

const tierOf = (usage: Json): string | null =>
  textAt(usage, 'service_tier') ?? textAt(usage, 'serviceTier') ?? textAt(usage, 'trafficType')

const tierAround = (body: Json): string | null =>
  textAt(body, 'service_tier') ??
  textAt(objectAt(body, 'serviceTier'), 'type') ??
  textAt(body, 'serviceTier') ??
  textAt(objectAt(objectAt(body, 'metadata'), 'serviceTier'), 'type')

/** Search queries that grounded a Gemini answer: they are billed, its tool-use input is not. */
const groundingQueries = (body: Json): number => {
  let queries = 0
  for (const candidate of listAt(body, 'candidates')) {
    queries += listAt(objectAt(candidate, 'groundingMetadata'), 'webSearchQueries').length
  }
  return queries
}

/** First-party cache diagnosis: Anthropic `diagnostics`, OpenAI `prompt_cache_diagnostics`. */
const addDiagnosis = (facts: Facts, body: Json): void => {
  const anthropic = objectAt(objectAt(body, 'diagnostics'), 'cache_miss_reason')
  if (anthropic !== null) {
    facts.cache_miss_reason = textAt(anthropic, 'type') ?? facts.cache_miss_reason
    facts.cache_missed_tokens = anthropic['cache_missed_input_tokens']
  }
  const openai = objectAt(body, 'prompt_cache_diagnostics')
  if (openai !== null) {
    facts.cache_miss_reason = textAt(openai, 'reason') ?? facts.cache_miss_reason
    facts.cache_missed_tokens = openai['cache_missed_tokens']
  }
}

const breakdownOf = (body: Json): readonly unknown[] | null => {
  const models = listAt(objectAt(body, 'usage_breakdown'), 'models')
  return models.length === 0 ? null : models
}

const SERVER_CALLS: readonly string[] = [
  'web_search_call',
  'file_search_call',
  'image_generation_call'
]

/** Tools that OpenAI ran and bills apart; opening a page of a found site is not billed. */
const serverCalls = (body: Json): Record<string, number> | null => {
  if (body['object'] !== 'response') return null
  const calls: Record<string, number> = {}
  for (const item of listAt(body, 'output')) {
    const type = textAt(item, 'type')
    if (type === null || !SERVER_CALLS.includes(type)) continue
    const action = textAt(objectAt(item, 'action'), 'type')
    if (action !== null && action !== 'search') continue
    calls[type] = (calls[type] ?? 0) + 1
  }
  return calls
}
