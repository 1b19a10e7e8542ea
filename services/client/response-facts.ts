/** What a response tells about itself, gathered from its body or from the events of its stream. */
export type ResponseFacts = {
  usage: Record<string, unknown> | null
  response_id: string | null
  response_model: string | null
  service_tier: string | null
  stop_reason: string | null
  error_type: string | null
}

type Json = Record<string, unknown>

export const isJson = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const noFacts = (): ResponseFacts => ({
  usage: null,
  response_id: null,
  response_model: null,
  service_tier: null,
  stop_reason: null,
  error_type: null
})

/**
 * Adds what a body, or one event of a stream, tells. Usage in streams is cumulative in every API:
 * what is told last holds, and null tells nothing.
 */
export const addFacts = (facts: ResponseFacts, body: unknown): void => {
  if (!isJson(body)) return
  // Anthropic wraps the first event in `message`, OpenAI's Responses API in `response`.
  for (const part of [body, body['message'], body['response']]) {
    if (isJson(part)) addPart(facts, part)
  }
}

const addPart = (facts: ResponseFacts, part: Json): void => {
  const usage = part['usage'] ?? part['usageMetadata']
  if (isJson(usage)) facts.usage = { ...facts.usage, ...told(usage) }
  facts.response_id ??= text(part['id'] ?? part['responseId'])
  facts.response_model = text(part['model'] ?? part['modelVersion']) ?? facts.response_model
  facts.service_tier = text(part['service_tier']) ?? facts.service_tier
  facts.stop_reason = stopOf(part) ?? facts.stop_reason
  facts.error_type = errorOf(part['error']) ?? facts.error_type
}

const errorOf = (error: unknown): string | null =>
  isJson(error) ? (text(error['type']) ?? text(error['code']) ?? 'error') : null

const told = (usage: Json): Json =>
  Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== null))

const text = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value : null

const stopOf = (part: Json): string | null => {
  const [choice] = Array.isArray(part['choices']) ? (part['choices'] as unknown[]) : []
  const [candidate] = Array.isArray(part['candidates']) ? (part['candidates'] as unknown[]) : []
  const delta = part['delta']
  return (
    text(part['stop_reason']) ??
    (isJson(delta) ? text(delta['stop_reason']) : null) ??
    (isJson(choice) ? text(choice['finish_reason']) : null) ??
    (isJson(candidate) ? text(candidate['finishReason']) : null) ??
    (isJson(part['incomplete_details']) ? text(part['incomplete_details']['reason']) : null)
  )
}
