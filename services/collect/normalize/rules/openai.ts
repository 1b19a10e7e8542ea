import type { UsageRule } from '../rule.ts'

/**
 * OpenAI and everything that speaks its APIs. Cached and written tokens are part of the prompt,
 * reasoning is part of the completion (SDK types `completions.d.ts`, `responses.d.ts`).
 * Field names of gateways that add their own (LiteLLM, one-api) are read as further witnesses.
 */
export const chat: UsageRule = {
  family: 'chat',
  provider: null,
  api: 'chat',
  apiNames: [
    'chat.completions',
    'chat_completions',
    'completions',
    'text_completion',
    'embeddings'
  ],
  prompt: [['prompt_tokens'], ['input_tokens']],
  completion: [['completion_tokens'], ['output_tokens']],
  total: [['total_tokens']],
  cacheRead: [
    ['prompt_tokens_details', 'cached_tokens'],
    ['prompt_cache_hit_tokens'],
    ['cached_tokens'],
    ['cache_read_input_tokens'],
    ['prompt_token_details', 'cached_tokens'],
    ['input_tokens_details', 'cached_tokens'],
    ['prompt_tokens_details', 'cache_read_tokens'],
    ['prompt_tokens_details', 'cache_read_input_tokens']
  ],
  cacheWrite: [
    ['prompt_tokens_details', 'cache_write_tokens'],
    ['prompt_tokens_details', 'cache_creation_tokens'],
    ['cache_creation_input_tokens'],
    ['prompt_tokens_details', 'cache_creation_input_tokens']
  ],
  cacheWriteByTtl: {
    '5m': [
      ['prompt_tokens_details', 'cache_creation_token_details', 'ephemeral_5m_input_tokens'],
      ['cache_creation', 'ephemeral_5m_input_tokens']
    ],
    '30m': [
      ['prompt_tokens_details', 'cache_write_tokens_details', 'ttl_30m_tokens'],
      ['prompt_tokens_details', 'cache_creation_token_details', 'ephemeral_30m_input_tokens']
    ],
    '1h': [
      ['prompt_tokens_details', 'cache_creation_token_details', 'ephemeral_1h_input_tokens'],
      ['cache_creation', 'ephemeral_1h_input_tokens']
    ],
    '12h': [
      ['prompt_tokens_details', 'cache_write_tokens_details', 'ttl_12h_tokens'],
      ['prompt_tokens_details', 'cache_creation_token_details', 'ephemeral_12h_input_tokens']
    ]
  },
  cacheMiss: [['prompt_cache_miss_tokens']],
  reasoning: [
    ['completion_tokens_details', 'reasoning_tokens'],
    ['reasoning_tokens'],
    ['output_tokens_details', 'reasoning_tokens']
  ],
  undocumented: [['num_cached_tokens']],
  cache: 'inside',
  reasoningSide: 'inside',
  modalities: {
    in_audio: [['prompt_tokens_details', 'audio_tokens']],
    in_image: [['prompt_tokens_details', 'image_tokens']],
    in_video: [['prompt_tokens_details', 'video_tokens']],
    out_audio: [['completion_tokens_details', 'audio_tokens']],
    out_image: [['completion_tokens_details', 'image_tokens']]
  },
  units: {
    web_search: [
      ['server_tool_use', 'web_search_requests'],
      ['server_tool_use_details', 'web_search_requests']
    ],
    web_fetch: [['server_tool_use', 'web_fetch_requests']]
  },
  iterations: 'iterations',
  ignores: [
    'audio_prompt_tokens',
    'prompt_audio_tokens',
    'prompt_tokens_details.text_tokens',
    'prompt_tokens_details.tool_use_tokens',
    'completion_tokens_details.text_tokens',
    'completion_tokens_details.accepted_prediction_tokens',
    'completion_tokens_details.rejected_prediction_tokens'
  ]
}

/** Responses API, and the blocks of image, transcription and realtime models. */
export const responses: UsageRule = {
  family: 'input-output',
  provider: null,
  api: 'responses',
  apiNames: ['response', 'images', 'images.generations', 'transcriptions', 'realtime', 'codex'],
  prompt: [['input_tokens']],
  completion: [['output_tokens']],
  total: [['total_tokens']],
  cacheRead: [
    ['input_tokens_details', 'cached_tokens'],
    ['input_token_details', 'cached_tokens'],
    ['cached_input_tokens'],
    ['input_tokens_details', 'cache_read_tokens'],
    ['cached_tokens']
  ],
  cacheWrite: [
    ['input_tokens_details', 'cache_write_tokens'],
    ['cache_write_input_tokens'],
    ['input_tokens_details', 'cache_creation_tokens']
  ],
  cacheWriteByTtl: {
    '30m': [['input_tokens_details', 'cache_write_tokens_details', 'ttl_30m_tokens']],
    '12h': [['input_tokens_details', 'cache_write_tokens_details', 'ttl_12h_tokens']]
  },
  reasoning: [
    ['output_tokens_details', 'reasoning_tokens'],
    ['output_token_details', 'reasoning_tokens'],
    ['reasoning_output_tokens'],
    ['reasoning_tokens']
  ],
  cache: 'inside',
  reasoningSide: 'inside',
  modalities: {
    in_audio: [
      ['input_token_details', 'audio_tokens'],
      ['input_tokens_details', 'audio_tokens']
    ],
    in_image: [
      ['input_tokens_details', 'image_tokens'],
      ['input_token_details', 'image_tokens']
    ],
    in_cached_audio: [['input_token_details', 'cached_tokens_details', 'audio_tokens']],
    in_cached_image: [['input_token_details', 'cached_tokens_details', 'image_tokens']],
    out_audio: [
      ['output_token_details', 'audio_tokens'],
      ['output_tokens_details', 'audio_tokens']
    ],
    out_image: [['output_tokens_details', 'image_tokens']]
  },
  ignores: [
    'input_tokens_details.text_tokens',
    'input_token_details.text_tokens',
    'output_tokens_details.text_tokens',
    'output_token_details.text_tokens',
    'cached_tokens_details.text_tokens'
  ]
}

/** Only a total: embeddings and rerankers of Voyage, Jina and others. Everything is input. */
export const totalOnly: UsageRule = {
  family: 'total',
  provider: null,
  api: 'embeddings',
  apiNames: ['embedding', 'rerank', 'reranking'],
  prompt: [['total_tokens']],
  completion: [],
  total: [],
  cacheRead: [],
  cacheWrite: [],
  reasoning: [],
  cache: 'inside',
  reasoningSide: 'inside',
  modalities: { in_image: [['image_tokens']] },
  units: { image_pixels: [['image_pixels']] },
  ignores: ['text_tokens']
}

/** Transcription billed by time: no tokens at all. */
export const duration: UsageRule = {
  family: 'duration',
  provider: null,
  api: 'transcriptions',
  prompt: [],
  completion: [],
  total: [],
  cacheRead: [],
  cacheWrite: [],
  reasoning: [],
  cache: 'inside',
  reasoningSide: 'inside'
}
