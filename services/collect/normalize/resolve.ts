import { isObject, objectAt, textAt, type Json } from './json.ts'
import type { Family, UsageRule } from './rule.ts'
import { messages } from './rules/anthropic.ts'
import { converse, invocation } from './rules/bedrock.ts'
import * as chats from './rules/chat-providers.ts'
import { cohereBilled, cohereSeen } from './rules/cohere.ts'
import * as emitters from './rules/emitters.ts'
import { generateContent, interactions } from './rules/google.ts'
import { chat, duration, responses, totalOnly } from './rules/openai.ts'
import { generate, ollama } from './rules/self-hosted.ts'
import type { Notes } from './warnings.ts'

/** What the caller says about a block, with the provider under its canonical name. */
export type Claim = {
  provider: string | null
  api: string | null
  model: string | null
  emitter: string | null
}

const CHAT_RULES: readonly UsageRule[] = [
  chats.openrouterChat,
  chats.deepseekChat,
  chats.xaiChat,
  chats.groqChat,
  chats.mistralChat,
  chats.perplexityChat,
  chats.azureChat,
  chats.geminiChat,
  chats.sglangChat,
  chats.vllmChat
]

/** Field names that occur in one family only, in the order in which they are looked for. */
const FAMILY_KEYS: readonly (readonly [string, Family])[] = [
  ['prompt_tokens', 'chat'],
  ['completion_tokens', 'chat'],
  ['input_tokens', 'input-output'],
  ['output_tokens', 'input-output'],
  ['cache_read_input_tokens', 'input-output'],
  ['cache_creation_input_tokens', 'input-output'],
  ['promptTokenCount', 'gemini'],
  ['candidatesTokenCount', 'gemini'],
  ['totalTokenCount', 'gemini'],
  ['responseTokenCount', 'gemini'],
  ['candidates_token_count', 'gemini'],
  ['total_token_count', 'gemini'],
  ['inputTokens', 'camel'],
  ['outputTokens', 'camel'],
  ['promptTokens', 'camel'],
  ['completionTokens', 'camel'],
  ['total_input_tokens', 'interactions'],
  ['total_output_tokens', 'interactions'],
  ['billed_units', 'cohere'],
  ['prompt_eval_count', 'ollama'],
  ['eval_count', 'ollama'],
  ['inputTokenCount', 'invocation'],
  ['outputTokenCount', 'invocation'],
  ['tokens_evaluated', 'generate'],
  ['tokens_predicted', 'generate'],
  ['generated_tokens', 'generate'],
  ['input_token_count', 'generate'],
  ['generated_token_count', 'generate'],
  ['inputTextTokenCount', 'generate'],
  ['prompt_token_count', 'generate'],
  ['generation_token_count', 'generate'],
  ['gen_ai.usage.input_tokens', 'attributes'],
  ['gen_ai.usage.output_tokens', 'attributes'],
  ['gen_ai.usage.prompt_tokens', 'attributes'],
  ['gen_ai.usage.completion_tokens', 'attributes'],
  ['llm.token_count.prompt', 'attributes'],
  ['llm.token_count.completion', 'attributes'],
  ['ai.usage.inputTokens', 'attributes'],
  ['ai.usage.outputTokens', 'attributes'],
  ['ai.usage.promptTokens', 'attributes'],
  ['total_tokens', 'total']
]

const reported = (block: Json, key: string): boolean => {
  const value = block[key]
  return value !== undefined && value !== null
}

/** The family of a usage block by its field names, or null where it is none. */
export const familyOf = (block: Json): Family | null => {
  for (const entry of FAMILY_KEYS) if (reported(block, entry[0])) return entry[1]
  const counts = objectAt(block, 'tokens')
  if (counts !== null && (reported(counts, 'input_tokens') || reported(counts, 'output_tokens'))) {
    return 'cohere'
  }
  if (objectAt(block, 'input')?.['inputTokenCount'] !== undefined) return 'invocation'
  if (block['type'] === 'duration' && reported(block, 'seconds')) return 'duration'
  return null
}

type SingleFamily = Exclude<Family, 'chat' | 'input-output' | 'camel' | 'cohere' | 'attributes'>

/** Families that one rule reads whoever sent the block. */
const SINGLE_RULES: Record<SingleFamily, UsageRule> = {
  gemini: generateContent,
  interactions,
  invocation,
  ollama,
  generate,
  total: totalOnly,
  duration
}

/** The rule for a block of known family; `body` is the response around it, or the block itself. */
export const ruleFor = (
  family: Family,
  claim: Claim,
  { block, body }: { block: Json; body: Json },
  notes: Notes
): UsageRule => {
  if (family === 'chat') return chatRule(claim, block, body)
  if (family === 'input-output') return inputOutputRule(claim, block, body, notes)
  if (family === 'camel') return camelRule(claim, block, body, notes)
  if (family === 'cohere')
    return objectAt(block, 'billed_units') === null ? cohereSeen : cohereBilled
  if (family === 'attributes') return attributesRule(claim, block)
  return SINGLE_RULES[family]
}

const marked = (rule: UsageRule, block: Json): boolean => {
  for (const mark of rule.marks ?? []) if (block[mark] !== undefined) return true
  return false
}

const named = (rule: UsageRule, api: string | null): boolean => {
  if (api === null) return false
  const lowered = api.toLowerCase()
  return rule.api.toLowerCase() === lowered || (rule.apiNames?.includes(lowered) ?? false)
}

const chatRule = (claim: Claim, block: Json, body: Json): UsageRule => {
  if (claim.provider !== null) {
    for (const rule of CHAT_RULES) if (rule.provider === claim.provider) return rule
  }
  for (const rule of CHAT_RULES) if (marked(rule, block)) return rule
  if (modelOf(claim, body).startsWith('gemini-')) return chats.geminiChat
  return claim.provider === null ? chatRuleByBody(body) : chat
}

const chatRuleByBody = (body: Json): UsageRule => {
  if (body['prompt_filter_results'] !== undefined) return chats.azureChat
  if (body['x_groq'] !== undefined) return chats.groqChat
  return textAt(body, 'id')?.startsWith('gen-') === true ? chats.openrouterChat : chat
}

const INCLUSIVE_MARKS = ['input_tokens_details', 'cached_input_tokens', 'reasoning_output_tokens']

/** Two conventions share `input_tokens`; the fields beside it, the body or the names decide. */
const inputOutputRule = (claim: Claim, block: Json, body: Json, notes: Notes): UsageRule => {
  const exclusive = looksExclusive(block)
  const inclusiveRule = inclusiveRuleFor(claim, block)
  if (exclusive !== looksInclusive(block)) return exclusive ? messages : inclusiveRule
  const side = sideByNames(claim, body)
  if (exclusive && side === null) notes.add('api_guessed')
  return side === 'inclusive' || (side === null && !exclusive) ? inclusiveRule : messages
}

const looksExclusive = (block: Json): boolean =>
  marked(messages, block) ||
  objectAt(block, 'output_tokens_details')?.['thinking_tokens'] !== undefined

const looksInclusive = (block: Json): boolean =>
  marked(emitters.langchain, block) ||
  INCLUSIVE_MARKS.some((mark) => block[mark] !== undefined) ||
  objectAt(block, 'output_tokens_details')?.['reasoning_tokens'] !== undefined

const sideByNames = (claim: Claim, body: Json): 'exclusive' | 'inclusive' | null => {
  if (named(messages, claim.api) || body['type'] === 'message') return 'exclusive'
  if (named(responses, claim.api) || body['object'] === 'response') return 'inclusive'
  if (claim.provider === 'openai') return 'inclusive'
  if (claim.provider === 'anthropic' || modelOf(claim, body).includes('claude')) return 'exclusive'
  return null
}

const inclusiveRuleFor = (claim: Claim, block: Json): UsageRule => {
  if (marked(emitters.langchain, block)) return tokenDetailsRule(block)
  return claim.provider === 'x_ai' || marked(chats.xaiResponses, block)
    ? chats.xaiResponses
    : responses
}

const tokenDetailsRule = (block: Json): UsageRule => {
  const input = objectAt(block, 'input_token_details')
  const output = objectAt(block, 'output_token_details')
  const ofLangchain =
    input?.['cache_read'] !== undefined ||
    input?.['cache_creation'] !== undefined ||
    output?.['reasoning'] !== undefined
  return ofLangchain ? emitters.langchain : responses
}

const modelOf = (claim: Claim, body: Json): string =>
  claim.model ?? textAt(body, 'model') ?? textAt(body, 'modelId') ?? ''

const aiSdkEmitter = /^(ai|@ai-sdk\/|vercel)/

const camelRule = (claim: Claim, block: Json, body: Json, notes: Notes): UsageRule => {
  if (isObject(block['inputTokens']) || isObject(block['outputTokens'])) return emitters.aiSdkNested
  if (marked(emitters.aiSdkV4, block)) return emitters.aiSdkV4
  if (marked(emitters.aiSdk, block)) return emitters.aiSdk
  if (marked(converse, block)) return converse
  const ofSdk = marked(emitters.aiSdkV2, block)
  const emitted = claim.emitter !== null && aiSdkEmitter.test(claim.emitter)
  if (!ofSdk && !emitted && !named(emitters.aiSdk, claim.api)) return converse
  return aiSdkV2Rule(claim, block, body, notes)
}

const EXCLUSIVE_BEHIND = /anthropic|bedrock|claude/

const behindOf = (claim: Claim, body: Json): string =>
  `${claim.provider ?? ''} ${modelOf(claim, body)}`

/** AI SDK 5.0 passes the provider's input on, so the provider behind it decides. */
const aiSdkV2Rule = (claim: Claim, block: Json, body: Json, notes: Notes): UsageRule => {
  const behind = behindOf(claim, body)
  if (EXCLUSIVE_BEHIND.test(behind)) return emitters.aiSdkV2Exclusive
  const cached = block['cachedInputTokens']
  if (behind.trim() === '' && cached !== undefined && cached !== null && cached !== 0) {
    notes.add('convention_ambiguous')
  }
  return emitters.aiSdkV2
}

const attributesRule = (claim: Claim, block: Json): UsageRule => {
  const { emitter } = claim
  const exclusive = emitters.attributesExclusive
  if (emitter !== null && exclusive.emitters?.some((pattern) => pattern.test(emitter)) === true) {
    return exclusive
  }
  return isAiSdkV2(block) && EXCLUSIVE_BEHIND.test(behindOf(claim, block))
    ? exclusive
    : emitters.attributes
}

/** Spans of AI SDK 5.0, which had no details yet. */
const isAiSdkV2 = (block: Json): boolean =>
  block['ai.usage.cachedInputTokens'] !== undefined &&
  block['ai.usage.inputTokenDetails.cacheReadTokens'] === undefined &&
  block['ai.usage.inputTokenDetails.noCacheTokens'] === undefined

/** APIs whose names fit one rule only, so that another rule's block contradicts them. */
const SPECIFIC = [messages, responses, converse, generateContent, interactions]
const CHAT_SPEAKERS: readonly (string | null)[] = [
  'openai',
  ...CHAT_RULES.map((rule) => rule.provider).filter((name) => name !== 'gcp.gemini')
]

/** Says so where the named API is another one than the block shows. */
export const checkNames = (claim: Claim, rule: UsageRule, notes: Notes): void => {
  const { api, provider } = claim
  if (api === null || named(rule, api)) return
  const chatExpected = named(chat, api) && CHAT_SPEAKERS.includes(provider)
  const others = SPECIFIC.some((other) => other.api.toLowerCase() === api.toLowerCase())
  if (others || (chatExpected && rule.family !== 'chat' && rule.family !== 'total')) {
    notes.add('api_contradicted')
  }
}
