import type { Modality, UsageRule } from '../rule.ts'
import type { Source } from '../count.ts'

const byModality = (list: string, take: string, kind: string): Source => ({
  list: [list],
  key: 'modality',
  values: [kind.toUpperCase(), kind],
  take
})

const modalities = (
  lists: { prompt: string; cache: string; output: readonly string[] },
  take: string
): Partial<Record<Modality, readonly Source[]>> => ({
  in_audio: [byModality(lists.prompt, take, 'audio')],
  in_image: [byModality(lists.prompt, take, 'image')],
  in_video: [byModality(lists.prompt, take, 'video')],
  in_cached_audio: [byModality(lists.cache, take, 'audio')],
  in_cached_image: [byModality(lists.cache, take, 'image')],
  out_audio: lists.output.map((list) => byModality(list, take, 'audio')),
  out_image: lists.output.map((list) => byModality(list, take, 'image'))
})

/**
 * Gemini API and Vertex AI. The prompt holds cached content; thoughts and tool-use prompt stand
 * beside candidates and prompt, and the total holds all four (`@google/genai` types). Some
 * responses already count thoughts among the candidates; the total tells. Python clients write
 * the same names in snake case, and the Live API says response for candidates.
 */
export const generateContent: UsageRule = {
  family: 'gemini',
  provider: 'gcp.gemini',
  api: 'generateContent',
  apiNames: ['generate_content', 'generate-content', 'streamgeneratecontent', 'live', 'chat'],
  prompt: [['promptTokenCount'], ['prompt_token_count']],
  completion: [
    ['candidatesTokenCount'],
    ['candidates_token_count'],
    ['responseTokenCount'],
    ['response_token_count']
  ],
  total: [['totalTokenCount'], ['total_token_count']],
  cacheRead: [['cachedContentTokenCount'], ['cached_content_token_count']],
  cacheWrite: [],
  reasoning: [['thoughtsTokenCount'], ['thoughts_token_count']],
  toolUse: [['toolUsePromptTokenCount'], ['tool_use_prompt_token_count']],
  cache: 'inside',
  reasoningSide: 'outside',
  reasoningVaries: true,
  modalities: modalities(
    {
      prompt: 'promptTokensDetails',
      cache: 'cacheTokensDetails',
      output: ['candidatesTokensDetails', 'responseTokensDetails']
    },
    'tokenCount'
  ),
  ignores: ['initialPromptTokenCount']
}

/** Gemini Interactions: the same sides under other names. */
export const interactions: UsageRule = {
  family: 'interactions',
  provider: 'gcp.gemini',
  api: 'interactions',
  prompt: [['total_input_tokens']],
  completion: [['total_output_tokens']],
  total: [['total_tokens']],
  cacheRead: [['total_cached_tokens']],
  cacheWrite: [],
  reasoning: [['total_thought_tokens'], ['total_reasoning_tokens']],
  toolUse: [['total_tool_use_tokens']],
  cache: 'inside',
  reasoningSide: 'outside',
  reasoningVaries: true,
  modalities: modalities(
    {
      prompt: 'input_tokens_by_modality',
      cache: 'cached_tokens_by_modality',
      output: ['output_tokens_by_modality']
    },
    'tokens'
  )
}
