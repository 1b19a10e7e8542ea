import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { normalize, type NormalizeInput } from './normalize.ts'

/** One row for each API and shape: the body, and every count that is known afterwards. */
const counts = (body: unknown, known: Omit<NormalizeInput, 'body'> = {}) => {
  const read = normalize({ ...known, body })
  const tokens = Object.entries(read.tokens).filter(([, count]) => count !== null)
  return { ...read, tokens: Object.fromEntries(tokens) }
}

describe('Gemini', () => {
  test('counts tool-use input beside the prompt, and subsets by modality', () => {
    const { tokens, service_tier: tier } = counts({
      usageMetadata: {
        promptTokenCount: 12_000,
        cachedContentTokenCount: 8192,
        toolUsePromptTokenCount: 310,
        candidatesTokenCount: 240,
        thoughtsTokenCount: 900,
        totalTokenCount: 13_450,
        promptTokensDetails: [
          { modality: 'TEXT', tokenCount: 11_742 },
          { modality: 'IMAGE', tokenCount: 258 }
        ],
        cacheTokensDetails: [{ modality: 'AUDIO', tokenCount: 100 }],
        candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 40 }],
        trafficType: 'ON_DEMAND'
      }
    })
    assert.deepEqual(tokens, {
      in_uncached: 3808,
      in_cache_read: 8192,
      in_tool_use: 310,
      in_total: 12_310,
      in_image: 258,
      in_cached_audio: 100,
      out_text: 240,
      out_reasoning: 900,
      out_total: 1140,
      out_image: 40
    })
    assert.equal(tier, 'ON_DEMAND')
  })

  test('is read in snake case, from the Live API and from Interactions', () => {
    const snake = { prompt_token_count: 5, candidates_token_count: 2, total_token_count: 7 }
    assert.equal(counts({ usage_metadata: snake }).tokens['in_total'], 5)
    const live = { promptTokenCount: 5, responseTokenCount: 2, totalTokenCount: 7 }
    assert.equal(counts({ usageMetadata: live }).tokens['out_total'], 2)
    const interaction = {
      total_tokens: 1373,
      total_input_tokens: 22,
      total_cached_tokens: 0,
      total_output_tokens: 973,
      total_tool_use_tokens: 129,
      total_thought_tokens: 249,
      input_tokens_by_modality: [{ modality: 'text', tokens: 22 }]
    }
    const { tokens } = counts({ object: 'interaction', usage: interaction })
    assert.deepEqual([tokens['in_total'], tokens['out_total']], [151, 1222])
  })

  test('bills grounding by the query', () => {
    const grounding = { webSearchQueries: ['a', 'b'] }
    const { tokens } = counts({
      candidates: [{ finishReason: 'STOP', groundingMetadata: grounding }],
      usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 2, totalTokenCount: 7 }
    })
    assert.deepEqual(tokens['units'], { web_search: 2 })
  })

  test('without a total can not show where its thoughts are, and says so', () => {
    const usageMetadata = { promptTokenCount: 5, candidatesTokenCount: 20, thoughtsTokenCount: 7 }
    assert.deepEqual(counts({ usageMetadata }).warnings, ['convention_unverified'])
  })
})

describe('the OpenAI family', () => {
  test('of xAI puts reasoning beside the completion in Chat and inside in Responses', () => {
    const chat = {
      prompt_tokens: 12,
      completion_tokens: 2,
      total_tokens: 334,
      completion_tokens_details: { reasoning_tokens: 320 }
    }
    assert.equal(counts({ usage: chat }, { provider: 'xai' }).tokens['out_total'], 322)
    assert.deepEqual(counts({ usage: chat }, { provider: 'xai' }).warnings, [])
    const unnamed = counts({ usage: chat })
    assert.equal(unnamed.tokens['out_total'], 322)
    assert.deepEqual(unnamed.warnings, ['convention_by_arithmetic'])
    const later = { ...chat, completion_tokens: 322 }
    assert.equal(counts({ usage: later }, { provider: 'xai' }).tokens['out_total'], 322)
  })

  test('of Perplexity bills research beside a total that leaves it out', () => {
    const usage = {
      prompt_tokens: 33,
      completion_tokens: 11_395,
      total_tokens: 11_428,
      citation_tokens: 52_587,
      num_search_queries: 28,
      reasoning_tokens: 193_947,
      cost: { total_cost: 1.9 }
    }
    const { tokens, warnings, cost_reported_usd: cost } = counts({ usage })
    assert.deepEqual([tokens['in_total'], tokens['in_tool_use']], [52_620, 52_587])
    assert.deepEqual([tokens['out_text'], tokens['out_reasoning']], [11_395, 193_947])
    assert.deepEqual(tokens['units'], { web_search: 28 })
    assert.deepEqual([warnings, cost], [['total_omits_parts'], '1.9'])
  })

  test('of Moonshot ends a stream with usage inside the choice', () => {
    const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7, cached_tokens: 4 }
    const choice = { index: 0, delta: {}, finish_reason: 'stop', usage }
    const { tokens, usage_source: source } = counts([{ object: 'x.chunk', choices: [choice] }])
    assert.deepEqual([tokens['in_cache_read'], source], [4, 'provider_final'])
  })

  test('of DeepSeek says so where hits and misses are not the prompt', () => {
    const usage = {
      prompt_tokens: 100,
      completion_tokens: 1,
      total_tokens: 101,
      prompt_cache_hit_tokens: 60,
      prompt_cache_miss_tokens: 30
    }
    assert.deepEqual(counts({ usage }).warnings, ['cache_split_inconsistent'])
  })

  test('of Groq tells its queue, and prefers the block of the response', () => {
    const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7, queue_time: 0.0414 }
    const read = counts({ usage, x_groq: { id: 'req_1', usage: { dram_cached_tokens: 3 } } })
    assert.deepEqual([read.queue_ms, read.request_id, read.provider], [41, 'req_1', 'groq'])
  })

  test('of realtime and image models splits by modality', () => {
    const { tokens } = counts({
      usage: {
        input_tokens: 100,
        output_tokens: 50,
        total_tokens: 150,
        input_token_details: {
          text_tokens: 40,
          audio_tokens: 60,
          cached_tokens: 30,
          cached_tokens_details: { audio_tokens: 20, text_tokens: 10 }
        },
        output_token_details: { text_tokens: 10, audio_tokens: 40 }
      }
    })
    assert.deepEqual([tokens['in_audio'], tokens['in_cached_audio']], [60, 20])
    assert.deepEqual([tokens['in_cache_read'], tokens['out_audio']], [30, 40])
  })

  test('of relays that name counts twice says so where they differ', () => {
    const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15, input_tokens: 12 }
    assert.deepEqual(counts({ usage }).warnings, ['witnesses_disagree: input_tokens'])
    assert.deepEqual(counts({ usage: { ...usage, input_tokens: 0 } }).warnings, [])
  })

  test('counts the tools that ran at the provider', () => {
    const usage = { input_tokens: 5, output_tokens: 2, total_tokens: 7, input_tokens_details: {} }
    const search = { type: 'web_search_call', action: { type: 'search' } }
    const open = { type: 'web_search_call', action: { type: 'open_page' } }
    const output = [search, open, { type: 'file_search_call' }]
    const read = counts({ object: 'response', output, usage })
    assert.deepEqual(read.tokens['units'], { web_search: 1, file_search: 1 })
    assert.deepEqual(read.warnings, ['units_from_output'])
    const told = { web_search: { num_requests: 1 } }
    const better = counts({ object: 'response', output, usage, tool_usage: told })
    assert.deepEqual([better.tokens['units'], better.warnings], [{ web_search: 1 }, []])
  })
})

describe('software in between', () => {
  const details = { noCacheTokens: 18, cacheReadTokens: 45_102, cacheWriteTokens: 2089 }
  const summary = {
    inputTokens: 47_209,
    inputTokenDetails: details,
    outputTokens: 512,
    outputTokenDetails: { textTokens: 392, reasoningTokens: 120 },
    totalTokens: 47_721
  }

  test('of the AI SDK is read by its own counts or by the block of the provider inside', () => {
    const own = counts({ usage: summary })
    assert.deepEqual([own.tokens['in_uncached'], own.tokens['out_text']], [18, 392])
    const raw = {
      input_tokens: 18,
      cache_read_input_tokens: 45_102,
      cache_creation_input_tokens: 2089,
      output_tokens: 512
    }
    const inner = counts({ usage: { ...summary, raw } })
    assert.deepEqual([inner.tokens['in_uncached'], inner.tokens['out_text']], [18, 392])
    assert.deepEqual([inner.provider, inner.confidence], ['anthropic', 'high'])
    const other = counts({ usage: { ...summary, raw: { ...raw, input_tokens: 19 } } })
    assert.ok(other.warnings.includes('witnesses_disagree: raw'))
    const nested = {
      inputTokens: { total: 47_209, noCache: 18, cacheRead: 45_102, cacheWrite: 2089 },
      outputTokens: { total: 512, text: 392, reasoning: 120 }
    }
    assert.equal(counts({ usage: nested }).tokens['in_uncached'], 18)
  })

  test('of AI SDK 5.0 follows the provider behind it, and is flagged where nobody tells', () => {
    const usage = { inputTokens: 50, outputTokens: 5, totalTokens: 55, cachedInputTokens: 40 }
    const read = (provider: string | null) => counts({ usage }, { provider })
    assert.equal(read('anthropic').tokens['in_total'], 90)
    assert.equal(read('openai').tokens['in_total'], 50)
    assert.deepEqual(read(null).warnings, ['convention_ambiguous'])
    const span = {
      'ai.usage.inputTokens': 50,
      'ai.usage.outputTokens': 5,
      'ai.usage.cachedInputTokens': 40
    }
    assert.equal(counts(span, { provider: 'anthropic' }).tokens['in_total'], 90)
    assert.equal(counts(span, { provider: 'openai' }).tokens['in_total'], 50)
  })

  test('of OpenInference follows what each emitter means by its prompt', () => {
    const span = {
      'llm.token_count.prompt': 500,
      'llm.token_count.completion': 5,
      'llm.token_count.prompt_details.cache_read': 400
    }
    const read = (emitter: string) => counts(span, { emitter })
    const scope = '@arizeai/openinference-instrumentation'
    assert.equal(read(`${scope}-bedrock@0.3.0`).tokens['in_total'], 900)
    assert.equal(read('openinference.instrumentation.openai@0.1.0').tokens['in_total'], 500)
    assert.deepEqual(read(`${scope}-anthropic@0.1.0`).warnings, ['convention_ambiguous'])
  })
})
