import type { UsageRule } from '../rule.ts'

const nothing = {
  total: [],
  cacheRead: [],
  cacheWrite: [],
  reasoning: [],
  cache: 'inside',
  reasoningSide: 'inside'
} as const

/** Ollama's own API: fields that are 0 are left out, so absent is unknown (`api/types.go`). */
export const ollama: UsageRule = {
  ...nothing,
  family: 'ollama',
  provider: 'ollama',
  api: 'chat',
  apiNames: ['generate', 'native', 'api/chat', 'api/generate', 'embed'],
  prompt: [['prompt_eval_count']],
  completion: [['eval_count']]
}

/**
 * Blocks with one count for each side under names of their own: TGI `details`, llama.cpp,
 * watsonx, Titan and Llama on Bedrock.
 */
export const generate: UsageRule = {
  ...nothing,
  family: 'generate',
  provider: null,
  api: 'generate',
  apiNames: ['invoke', 'native', 'completion'],
  prompt: [
    ['tokens_evaluated'],
    ['input_token_count'],
    ['inputTextTokenCount'],
    ['prompt_token_count']
  ],
  completion: [
    ['tokens_predicted'],
    ['generated_tokens'],
    ['generated_token_count'],
    ['generation_token_count'],
    ['output_token_count']
  ],
  ignores: ['tokens_cached']
}
