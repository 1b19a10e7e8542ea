import { contentHash } from '../../content-hash.ts'
import {
  numberIn,
  objectIn,
  secondsText,
  textIn,
  valueIn,
  type JsonObject
} from '../../json-value.ts'
import { decimalText, label } from '../../label.ts'
import { providerName } from '../../provider-name.ts'
import type { Candidate } from '../source.ts'
import { contentHashes } from './content.ts'
import type { UsageEvent } from '../../../../schemas/event.ts'

/** Kinds of call by LiteLLM's names; `a` in front marks the asynchronous form. */
const KINDS: readonly (readonly [RegExp, UsageEvent['kind']])[] = [
  [/embedding/, 'embedding'],
  [/rerank/, 'rerank'],
  [/moderation/, 'guardrail'],
  [/mcp_tool/, 'tool'],
  [/search/, 'retrieval']
]

const kindOf = (payload: JsonObject): UsageEvent['kind'] => {
  const callType = textIn(payload, 'call_type') ?? ''
  return KINDS.find(([pattern]) => pattern.test(callType))?.[1] ?? 'llm'
}

/**
 * The native event of one StandardLoggingPayload (litellm `types/utils.py`). Its counts follow
 * OpenAI's convention for every provider; the split by cache stands in `usage_object`.
 */
export const payloadEvent = (payload: JsonObject): Candidate => {
  const event: Candidate = {
    id: textIn(payload, 'litellm_call_id') ?? textIn(payload, 'id') ?? contentHash(payload),
    source: 'litellm',
    kind: kindOf(payload),
    trace_id: label(textIn(payload, 'trace_id')),
    conversation_id: label(textIn(payload, 'session_id')),
    response_id: label(textIn(payload, 'id')),
    emitter: 'litellm',
    attempt: attemptOf(payload),
    temperature: numberIn(payload, 'model_parameters', 'temperature'),
    cost_reported_usd: costOf(payload),
    tags: tagsOf(payload),
    ...contentHashes(payload)
  }
  fillTimes(event, payload)
  fillOwner(event, payload)
  fillRoute(event, payload)
  fillOutcome(event, payload)
  fillUsage(event, payload)
  fillRetrieved(event, payload)
  return event
}

/** A response that is fetched again under an id that changes each time (BerriAI/litellm #17814). */
const RETRIEVED = /^a?get_responses$/
/** The usage of a whole batch, told each time that it is fetched (BerriAI/litellm #39980). */
const BATCH = /^a?retrieve_batch$/

/** What fetches something made before is no call: a batch counts once, a stored response not at all. */
const fillRetrieved = (event: Candidate, payload: JsonObject): void => {
  const callType = textIn(payload, 'call_type') ?? ''
  if (BATCH.test(callType)) {
    event.batch = true
    if (event.usage == null) return
    event.id = textIn(payload, 'id') ?? event.id
    // Prices by the size of a call can not be told from the sum of a batch (BerriAI/litellm #39861).
    event.usage_warnings = ['batch_of_several_calls']
  } else if (RETRIEVED.test(callType)) {
    event.tokens = {}
    event.usage_convention = 'litellm/retrieved response-cache not billed'
    event.usage_warnings = ['retrieved_response_not_counted']
    event.cost_reported_usd = null
  }
}

/** A streamed call may say 0 and have its cost in the breakdown (BerriAI/litellm #40100). */
const costOf = (payload: JsonObject): string | null => {
  const cost = decimalText(valueIn(payload, 'response_cost'))
  const total = numberIn(payload, 'cost_breakdown', 'total_cost') ?? 0
  const isHit = valueIn(payload, 'cache_hit') === true
  return total > 0 && !isHit && !(Number(cost) > 0) ? decimalText(total) : cost
}

/** Retries before this one, where the router says so; calls without a router are no attempt. */
const attemptOf = (payload: JsonObject): number | null => {
  const retries = numberIn(payload, 'metadata', 'attempted_retries')
  return retries === null || retries < 0 ? null : Math.floor(retries) + 1
}

const MS_PER_SECOND = 1000

const fillTimes = (event: Candidate, payload: JsonObject): void => {
  const start = numberIn(payload, 'startTime')
  if (start === null) return
  event.time = secondsText(start)
  event.duration_ms = elapsedMs(start, numberIn(payload, 'endTime'))
  if (valueIn(payload, 'stream') === true) {
    event.ttft_ms = elapsedMs(start, numberIn(payload, 'completionStartTime'))
  }
}

const elapsedMs = (start: number, end: number | null): number | null =>
  end === null || end < start ? null : Math.round((end - start) * MS_PER_SECOND)

const fillOwner = (event: Candidate, payload: JsonObject): void => {
  const metadata = objectIn(payload, 'metadata')
  const key = (name: string): string | null => textIn(metadata, `user_api_key_${name}`)
  const team = key('team_id')
  event.tenant = key('org_id') ?? team
  event.team = label(key('team_alias') ?? team)
  event.project = label(key('project_alias') ?? key('project_id'))
  event.user = label(textIn(payload, 'end_user') ?? key('end_user_id') ?? key('user_id'))
}

const fillRoute = (event: Candidate, payload: JsonObject): void => {
  const provider = textIn(payload, 'custom_llm_provider')
  const group = textIn(payload, 'model_group')
  const model = textIn(payload, 'model')
  event.provider = provider === null ? null : label(providerName(provider))
  event.request_model = label(group ?? model)
  event.response_model = label(textIn(payload, 'response', 'model') ?? model)
  event.route = label(group)
  event.provider_account = label(textIn(payload, 'model_id'))
  event.service_tier = label(textIn(payload, 'cost_breakdown', 'service_tier'))
  event.region = label(textIn(payload, 'cost_breakdown', 'vertex_location'))
}

const fillOutcome = (event: Candidate, payload: JsonObject): void => {
  const choices = valueIn(payload, 'response', 'choices')
  const [first] = Array.isArray(choices) ? (choices as unknown[]) : []
  event.stop_reason = label(textIn(first, 'finish_reason'))
  const failed = textIn(payload, 'status') === 'failure'
  const code = Number(decimalText(valueIn(payload, 'error_information', 'error_code')) ?? NaN)
  event.status = Number.isInteger(code) && code >= 100 && code <= 599 ? code : null
  event.request_id = label(textIn(payload, 'error_information', 'error_provider_request_id'))
  if (failed)
    event.error_type = label(textIn(payload, 'error_information', 'error_class')) ?? 'error'
}

const fillUsage = (event: Candidate, payload: JsonObject): void => {
  const stated = {
    prompt_tokens: numberIn(payload, 'prompt_tokens'),
    completion_tokens: numberIn(payload, 'completion_tokens'),
    total_tokens: numberIn(payload, 'total_tokens')
  }
  const block =
    objectIn(payload, 'metadata', 'usage_object') ??
    objectIn(payload, 'hidden_params', 'usage_object')
  const isReported = Object.values(stated).some((count) => count !== null && count > 0)
  event.usage = block ?? (isReported ? stated : null)
  // A hit of the proxy's own response cache reached no provider: nothing of it is billed.
  if (valueIn(payload, 'cache_hit') !== true) return
  event.tokens = {}
  event.usage_convention = 'litellm/response-cache not billed'
}

/** Labels are for slicing: more of them are a document. */
const TAGS_MAX = 32

/** `feature:search` is a label with a value; a bare tag is a label that is set. */
const tagsOf = (payload: JsonObject): Record<string, string> | null => {
  const tags = valueIn(payload, 'request_tags')
  if (!Array.isArray(tags)) return null
  const entries = (tags as unknown[]).slice(0, TAGS_MAX).flatMap((tag) => {
    const text = typeof tag === 'string' ? label(tag) : null
    if (text === null) return []
    const [name = '', ...rest] = text.split(':')
    return name === '__proto__' ? [] : [[name, rest.join(':') || 'true'] as const]
  })
  return entries.length === 0 ? null : Object.fromEntries(entries)
}
