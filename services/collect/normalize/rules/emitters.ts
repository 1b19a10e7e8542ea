import type { UsageRule } from '../rule.ts'
import { responses } from './openai.ts'

/**
 * Software between provider and us that writes blocks of its own. Here the emitter, not the
 * provider, decides what a count includes.
 */

/** AI SDK 5.1 and later, and provider spec V3/V4: totals include everything. */
export const aiSdk: UsageRule = {
  family: 'camel',
  provider: null,
  api: 'ai-sdk',
  apiNames: ['vercel', 'ai', 'vercel-ai'],
  marks: ['inputTokenDetails', 'outputTokenDetails', 'raw'],
  prompt: [['inputTokens']],
  completion: [['outputTokens']],
  total: [['totalTokens']],
  cacheRead: [['inputTokenDetails', 'cacheReadTokens'], ['cachedInputTokens']],
  cacheWrite: [['inputTokenDetails', 'cacheWriteTokens']],
  reasoning: [['outputTokenDetails', 'reasoningTokens'], ['reasoningTokens']],
  cache: 'inside',
  reasoningSide: 'inside',
  ignores: ['inputTokenDetails.noCacheTokens', 'outputTokenDetails.textTokens']
}

/**
 * Versions 3 and 4, and `tokenUsage` of LangChain.js: neither tells cached tokens, which Anthropic
 * leaves out of the prompt.
 */
export const aiSdkV4: UsageRule = {
  ...aiSdk,
  marks: ['promptTokens', 'completionTokens'],
  prompt: [['promptTokens']],
  completion: [['completionTokens']],
  cacheRead: [],
  cacheWrite: [],
  reasoning: []
}

/** Totals nested one level down (`LanguageModelV3Usage`). */
export const aiSdkNested: UsageRule = {
  ...aiSdk,
  marks: [],
  prompt: [['inputTokens', 'total']],
  completion: [['outputTokens', 'total']],
  cacheRead: [['inputTokens', 'cacheRead']],
  cacheWrite: [['inputTokens', 'cacheWrite']],
  reasoning: [['outputTokens', 'reasoning']]
}

/**
 * AI SDK 5.0 (provider spec V2): the provider's input is passed on as it is, so cache is outside
 * for Anthropic and Bedrock and inside for all others, with the same field names.
 */
export const aiSdkV2: UsageRule = { ...aiSdk, marks: ['cachedInputTokens', 'reasoningTokens'] }

export const aiSdkV2Exclusive: UsageRule = { ...aiSdkV2, cache: 'outside', totalOmits: 'cache' }

/** LangChain `usage_metadata`: inclusive by contract, exclusive from some integrations. */
export const langchain: UsageRule = {
  ...responses,
  api: 'langchain',
  apiNames: ['usage_metadata'],
  marks: ['input_token_details', 'output_token_details'],
  cacheRead: [['input_token_details', 'cache_read'], ...responses.cacheRead],
  cacheWrite: [['input_token_details', 'cache_creation']],
  cacheWriteByTtl: {
    '5m': [['input_token_details', 'ephemeral_5m_input_tokens']],
    '1h': [['input_token_details', 'ephemeral_1h_input_tokens']]
  },
  reasoning: [['output_token_details', 'reasoning'], ...responses.reasoning],
  modalities: {
    ...responses.modalities,
    in_audio: [
      ['input_token_details', 'audio'],
      ['input_token_details', 'audio_tokens']
    ],
    out_audio: [
      ['output_token_details', 'audio'],
      ['output_token_details', 'audio_tokens']
    ]
  }
}

const genAi = (name: string): readonly [string] => [`gen_ai.usage.${name}`]
const llm = (name: string): readonly [string] => [`llm.token_count.${name}`]
const ai = (name: string): readonly [string] => [`ai.usage.${name}`]

/**
 * Span attributes by their flat names. OpenTelemetry says that input includes cache; emitters
 * differ by version (OpenInference for JavaScript leaves it out for Anthropic and Bedrock), which
 * the stated total or the sizes show.
 */
export const attributes: UsageRule = {
  family: 'attributes',
  provider: null,
  api: 'attributes',
  apiNames: ['otel', 'gen_ai', 'openinference', 'openllmetry', 'span'],
  prompt: [
    genAi('input_tokens'),
    genAi('prompt_tokens'),
    llm('prompt'),
    ai('inputTokens'),
    ai('promptTokens')
  ],
  completion: [
    genAi('output_tokens'),
    genAi('completion_tokens'),
    llm('completion'),
    ai('outputTokens'),
    ai('completionTokens')
  ],
  total: [['llm.usage.total_tokens'], genAi('total_tokens'), llm('total'), ai('totalTokens')],
  cacheRead: [
    genAi('cache_read.input_tokens'),
    genAi('cache_read_input_tokens'),
    genAi('input_cached_tokens'),
    genAi('details.cache_read_tokens'),
    genAi('cache_read_tokens'),
    genAi('cached_tokens'),
    genAi('cached_input_tokens'),
    genAi('input_tokens.cached'),
    llm('prompt_details.cache_read'),
    ai('inputTokenDetails.cacheReadTokens'),
    ai('cachedInputTokens')
  ],
  cacheWrite: [
    genAi('cache_write.input_tokens'),
    genAi('cache_creation.input_tokens'),
    genAi('cache_creation_input_tokens'),
    genAi('input_cache_creation'),
    genAi('details.cache_write_tokens'),
    genAi('cache_write_tokens'),
    genAi('cache_creation_tokens'),
    genAi('input_tokens.cache_creation'),
    llm('prompt_details.cache_write'),
    ai('inputTokenDetails.cacheWriteTokens')
  ],
  reasoning: [
    genAi('reasoning.output_tokens'),
    genAi('reasoning_tokens'),
    ['llm.usage.reasoning_tokens'],
    genAi('details.reasoning_tokens'),
    genAi('thoughts_tokens'),
    genAi('thinking_tokens'),
    genAi('output_tokens.reasoning'),
    llm('reasoning_tokens'),
    llm('completion_details.reasoning'),
    ai('outputTokenDetails.reasoningTokens'),
    ai('reasoningTokens')
  ],
  cache: 'inside',
  reasoningSide: 'inside',
  modalities: {
    in_audio: [llm('prompt_details.audio')],
    out_audio: [llm('completion_details.audio')]
  }
}

/** Emitters known to leave the cache out of the input, whatever the provider. */
export const attributesExclusive: UsageRule = {
  ...attributes,
  emitters: [/^@arizeai\/openinference-instrumentation-bedrock\b/],
  cache: 'outside',
  totalOmits: 'cache'
}

/**
 * Emitters that left the cache out in some versions and not in others, where no version number
 * is known to tell (OpenInference for JavaScript, until September 2026).
 */
export const UNDECIDED_EMITTERS = /^@arizeai\/openinference-instrumentation-anthropic\b/
