import type { UsageRule } from '../rule.ts'

/**
 * Anthropic Messages, and others that offer it. `input_tokens` leaves out what was read from or
 * written to the cache; `output_tokens` holds thinking (SDK `resources/messages/messages.d.ts`).
 * There is no total. `iterations[]` holds sub-inferences, of which compaction and advisor are not
 * in the counts above them.
 */
export const messages: UsageRule = {
  family: 'input-output',
  provider: 'anthropic',
  api: 'messages',
  apiNames: ['message', 'v1/messages', 'batches'],
  marks: [
    'cache_creation_input_tokens',
    'cache_read_input_tokens',
    'cache_creation',
    'server_tool_use',
    'inference_geo',
    'iterations',
    'speed'
  ],
  prompt: [['input_tokens']],
  completion: [['output_tokens']],
  total: [['total_tokens']],
  cacheRead: [['cache_read_input_tokens'], ['prompt_tokens_details', 'cached_tokens']],
  cacheWrite: [['cache_creation_input_tokens']],
  cacheWriteByTtl: {
    '5m': [['cache_creation', 'ephemeral_5m_input_tokens']],
    '1h': [['cache_creation', 'ephemeral_1h_input_tokens']]
  },
  reasoning: [['output_tokens_details', 'thinking_tokens']],
  cache: 'outside',
  reasoningSide: 'inside',
  totalOmits: 'cache',
  units: {
    web_search: [['server_tool_use', 'web_search_requests']],
    web_fetch: [['server_tool_use', 'web_fetch_requests']]
  },
  iterations: 'iterations'
}
