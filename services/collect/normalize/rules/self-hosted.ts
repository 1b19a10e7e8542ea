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

/** Why Titan ended a result; each result has a count of its own. */
const TITAN_REASONS = [
  'FINISHED',
  'FINISH',
  'LENGTH',
  'STOP_CRITERIA_MET',
  'RAG_QUERY_WHEN_RAG_DISABLED',
  'CONTENT_FILTERED'
]

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
  // llama.cpp's prompt holds what its cache had (`tools/server/README.md`).
  cacheRead: [['timings', 'cache_n']],
  completion: [
    ['tokens_predicted'],
    ['totalOutputTextTokenCount'],
    { list: ['results'], key: 'completionReason', values: TITAN_REASONS, take: 'tokenCount' },
    ['generated_tokens'],
    ['generated_token_count'],
    ['generation_token_count'],
    ['output_token_count']
  ],
  ignores: ['tokens_cached']
}
