import type { UsageRule } from '../rule.ts'
import { chat, responses } from './openai.ts'

/** Providers that speak the Chat Completions API and add to it or deviate from it. */

export const azureChat: UsageRule = {
  ...chat,
  provider: 'azure.ai.openai',
  marks: ['audio_prompt_tokens']
}

/** hit + miss = prompt; the reasoning count may stand at the top of the block. */
export const deepseekChat: UsageRule = {
  ...chat,
  provider: 'deepseek',
  marks: ['prompt_cache_hit_tokens', 'prompt_cache_miss_tokens'],
  cacheRead: [['prompt_cache_hit_tokens'], ...chat.cacheRead]
}

export const mistralChat: UsageRule = {
  ...chat,
  provider: 'mistral_ai',
  marks: ['num_cached_tokens', 'prompt_audio_seconds', 'prompt_token_details'],
  units: { ...chat.units, seconds: [['prompt_audio_seconds']] },
  ignores: [...(chat.ignores ?? []), 'prompt_token_details.audio_tokens']
}

export const groqChat: UsageRule = {
  ...chat,
  provider: 'groq',
  marks: ['queue_time', 'prompt_time', 'completion_time'],
  ignores: [...(chat.ignores ?? []), 'dram_cached_tokens', 'sram_cached_tokens']
}

/** xAI adds reasoning beside the completion; the total shows it. */
export const xaiChat: UsageRule = {
  ...chat,
  provider: 'x_ai',
  marks: ['cost_in_usd_ticks', 'num_sources_used', 'cached_prompt_text_tokens'],
  // The SDK's own message (`SamplingUsage`) has the cache under another name.
  cacheRead: [...chat.cacheRead, ['cached_prompt_text_tokens']],
  ignores: [...(chat.ignores ?? []), 'prompt_text_tokens', 'prompt_image_tokens'],
  reasoningSide: 'outside',
  reasoningVaries: true,
  units: { ...chat.units, sources: [['num_sources_used']] }
}

export const xaiResponses: UsageRule = {
  ...responses,
  provider: 'x_ai',
  marks: ['num_server_side_tools_used', 'num_sources_used', 'cost_in_usd_ticks'],
  units: { sources: [['num_sources_used']], server_tools: [['num_server_side_tools_used']] }
}

export const openrouterChat: UsageRule = {
  ...chat,
  provider: 'openrouter',
  marks: ['is_byok', 'cost_details']
}

/** Deep research bills reasoning and citations beside the completion and outside the total. */
export const perplexityChat: UsageRule = {
  ...chat,
  provider: 'perplexity',
  marks: ['citation_tokens', 'num_search_queries', 'search_context_size'],
  reasoning: [['reasoning_tokens'], ['completion_tokens_details', 'reasoning_tokens']],
  toolUse: [['citation_tokens']],
  reasoningSide: 'outside',
  reasoningVaries: true,
  totalOmits: 'reasoning',
  units: { web_search: [['num_search_queries']] }
}

/** The OpenAI front of Gemini leaves thinking out of the completion but in the total. */
export const geminiChat: UsageRule = {
  ...chat,
  provider: 'gcp.gemini',
  reasoningVaries: true,
  remainderIsReasoning: true
}

/** Speculative decoding reuses the prediction fields for draft tokens, which nobody bills. */
export const sglangChat: UsageRule = { ...chat, provider: 'sglang' }
export const vllmChat: UsageRule = { ...chat, provider: 'vllm' }
