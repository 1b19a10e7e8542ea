import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { normalize, type NormalizeInput } from './normalize.ts'

/**
 * Figures from public bug reports of other meters: each is what the report says went wrong, and
 * what is right. The link stands beside the case.
 */
const read = (body: unknown, known: Omit<NormalizeInput, 'body'> = {}) =>
  normalize({ ...known, body })

const anthropicStream = (start: unknown, delta: unknown): unknown[] => [
  { type: 'message_start', message: { id: 'msg_1', type: 'message', model: 'm', usage: start } },
  { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: delta },
  { type: 'message_stop' }
]

describe('reasoning', () => {
  // https://github.com/junhoyeo/tokscale/issues/1142
  test('of Codex is part of the output: 63,820 and not 88,702', () => {
    const { tokens, warnings } = read({
      input_tokens: 16_845_360,
      cached_input_tokens: 16_358_912,
      output_tokens: 63_820,
      reasoning_output_tokens: 24_882,
      total_tokens: 16_909_180
    })
    assert.deepEqual([tokens.out_total, tokens.out_text], [63_820, 38_938])
    assert.equal(tokens.in_uncached, 486_448)
    assert.deepEqual(warnings, [])
  })

  // https://github.com/hugalafutro/model-hotel/pull/991
  test('of Chat Completions is part of the completion: 266 and not 527', () => {
    const { tokens } = read({
      prompt_tokens: 2008,
      completion_tokens: 266,
      total_tokens: 2274,
      completion_tokens_details: { reasoning_tokens: 261 }
    })
    assert.deepEqual([tokens.out_total, tokens.out_text], [266, 5])
  })

  // https://github.com/latitude-dev/latitude-llm/pull/4051
  test('of a span is part of the output: 34,603 tokens for $0.108, and not 43,043 for $0.248', () => {
    // The split is ours: it gives the totals and all three costs of the report.
    const { tokens } = read({
      'ai.usage.inputTokens': 26_951,
      'ai.usage.cachedInputTokens': 1536,
      'ai.usage.outputTokens': 7652,
      'ai.usage.reasoningTokens': 6904,
      'ai.usage.totalTokens': 34_603
    })
    const { in_uncached: fresh, in_cache_read: cached, in_total: input, out_total: out } = tokens
    assert.equal((input ?? 0) + (out ?? 0), 34_603)
    assert.equal(tokens.out_text, 7652 - 6904)
    const cost = (fresh ?? 0) * 1.25 + (cached ?? 0) * 0.125 + (out ?? 0) * 10
    assert.equal((cost / 1e6).toFixed(3), '0.108')
  })

  // https://github.com/simonw/llm-gemini/issues/75
  test('of Gemini stands beside the candidates: 116 and not 9', () => {
    const { tokens } = read({
      usageMetadata: {
        promptTokenCount: 8,
        candidatesTokenCount: 9,
        thoughtsTokenCount: 107,
        totalTokenCount: 124
      }
    })
    assert.deepEqual([tokens.out_total, tokens.out_text], [116, 9])
  })

  test('of Gemini that is already among the candidates is told by the total', () => {
    const { tokens, warnings } = read({
      usageMetadata: {
        promptTokenCount: 8,
        candidatesTokenCount: 116,
        thoughtsTokenCount: 107,
        totalTokenCount: 124
      }
    })
    assert.deepEqual([tokens.out_total, tokens.out_text], [116, 9])
    assert.deepEqual(warnings, [])
  })
})

describe('streams', () => {
  // https://github.com/ccusage/ccusage/issues/938 and https://github.com/ccusage/ccusage/issues/901
  test('keep the last snapshot of a response and not the first: 159 and not 9', () => {
    const line = (output: number, stop: string | null) => ({
      type: 'assistant',
      requestId: 'req_123',
      message: {
        id: 'msg_ABC',
        type: 'message',
        model: 'claude-x',
        stop_reason: stop,
        usage: {
          input_tokens: 10,
          output_tokens: output,
          cache_creation_input_tokens: 11_862,
          cache_read_input_tokens: 15_555
        }
      }
    })
    const { tokens, stop_class: stop } = read([line(9, null), line(9, null), line(159, 'tool_use')])
    assert.deepEqual([tokens.out_total, tokens.in_total, stop], [159, 27_427, 'tool'])
  })

  // https://github.com/envoyproxy/ai-gateway/issues/2279
  test('do not add start and delta: 10 and not 11', () => {
    const usage = { input_tokens: 9, cache_read_input_tokens: 1, output_tokens: 1 }
    const { tokens, warnings } = read(anthropicStream(usage, { ...usage, output_tokens: 16 }))
    assert.deepEqual([tokens.in_total, tokens.in_cache_read, tokens.out_total], [10, 1, 16])
    assert.deepEqual(warnings, [])
  })

  // https://github.com/langchain-ai/langchainjs/issues/10249
  test('never show more cache than input, exactly double or otherwise', () => {
    const usage = {
      input_tokens: 18,
      cache_creation_input_tokens: 2089,
      cache_read_input_tokens: 45_102,
      output_tokens: 1
    }
    const { tokens } = read(anthropicStream(usage, usage))
    assert.equal(tokens.in_cache_read, 45_102)
    assert.equal(tokens.in_total, 47_209)
  })

  // https://github.com/envoyproxy/ai-gateway/issues/2290
  test('take input and cache from the delta where only that has them: 9,033 and not 0', () => {
    const delta = { input_tokens: 4522, cache_creation_input_tokens: 4511, output_tokens: 5 }
    const { tokens } = read(anthropicStream({ input_tokens: 0, output_tokens: 0 }, delta))
    assert.deepEqual([tokens.in_total, tokens.out_total], [9033, 5])
  })

  // https://github.com/envoyproxy/ai-gateway/pull/2236 and https://github.com/envoyproxy/ai-gateway/pull/1631
  test('do not lose input to a delta that sets it to 0: 16 and not 0', () => {
    const start = {
      input_tokens: 9,
      cache_read_input_tokens: 5,
      cache_creation_input_tokens: 2,
      output_tokens: 0
    }
    const delta = {
      input_tokens: 0,
      cache_read_input_tokens: 0,
      cache_creation_input_tokens: 0,
      output_tokens: 16
    }
    const { tokens, warnings } = read(anthropicStream(start, delta))
    assert.deepEqual([tokens.in_total, tokens.out_total], [16, 16])
    assert.ok(warnings.includes('stream_zero_ignored'))
  })

  // https://github.com/mcp-use/mcp-use/pull/2127
  test('do not lose what the delta leaves out: 21,623 and not 123', () => {
    const start = {
      input_tokens: 3,
      cache_read_input_tokens: 20_000,
      cache_creation_input_tokens: 1500,
      output_tokens: 1
    }
    const { tokens } = read(anthropicStream(start, { output_tokens: 120 }))
    assert.equal((tokens.in_total ?? 0) + (tokens.out_total ?? 0), 21_623)
  })

  // https://github.com/maximhq/bifrost/pull/5355
  test('take the true split from the delta of a compatible endpoint: 8,849 and not 17,683', () => {
    const start = { input_tokens: 8834, output_tokens: 0 }
    const delta = {
      input_tokens: 18,
      output_tokens: 426,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 8831,
      cache_creation: { ephemeral_5m_input_tokens: 0 }
    }
    const { tokens } = read(anthropicStream(start, delta))
    assert.deepEqual([tokens.in_total, tokens.in_uncached, tokens.out_total], [8849, 18, 426])
  })

  // https://github.com/jeremychone/rust-genai/pull/258
  test('flag a cache count that comes late and without the input beside it', () => {
    const start = { input_tokens: 3602, output_tokens: 0 }
    const delta = {
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 3604,
      prompt_tokens_details: { cached_tokens: 3604 },
      output_tokens: 878
    }
    const { warnings, confidence } = read(anthropicStream(start, delta))
    assert.ok(warnings.includes('stream_cache_late'))
    assert.equal(confidence, 'low')
  })

  // https://github.com/QuantumNous/new-api/issues/7241
  test('count every terminal event: 1,564 tokens of an incomplete response and not 0', () => {
    for (const [type, status] of [
      ['response.incomplete', 'incomplete'],
      ['response.failed', 'failed'],
      ['response.completed', 'completed']
    ]) {
      const usage = { input_tokens: 64, output_tokens: 1500, total_tokens: 1564 }
      const response = { id: 'resp_1', object: 'response', status, model: 'm', usage }
      const { tokens, usage_source: source } = read([
        { type: 'response.created', response: { ...response, status: 'in_progress', usage: null } },
        { type, response }
      ])
      assert.equal((tokens.in_total ?? 0) + (tokens.out_total ?? 0), 1564, type)
      assert.equal(source, 'provider_final', type)
    }
  })

  // https://github.com/BerriAI/litellm/pull/39893 and https://github.com/vercel/ai/pull/14677
  test('that are aborted keep their last snapshot, marked as partial', () => {
    const [start] = anthropicStream({ input_tokens: 25, output_tokens: 1 }, {})
    const { tokens, usage_source: source, warnings } = read([start])
    assert.deepEqual([tokens.in_total, tokens.out_total], [25, 1])
    assert.equal(source, 'provider_partial')
    assert.deepEqual(warnings, ['stream_cut'])
  })
})

describe('several inferences in one response', () => {
  // https://github.com/ccusage/ccusage/issues/1552
  test('keep a declined attempt, which the totals leave out, apart with its own model', () => {
    const iterations = [
      {
        type: 'message',
        model: 'claude-fable-5',
        input_tokens: 2,
        output_tokens: 578,
        cache_creation_input_tokens: 10_421,
        cache_read_input_tokens: 72_769
      },
      {
        type: 'fallback_message',
        model: 'claude-opus-4-8',
        input_tokens: 2,
        output_tokens: 13_658,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 79_214
      }
    ]
    const usage = {
      input_tokens: 2,
      output_tokens: 13_658,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 79_214,
      iterations
    }
    const result = read({ type: 'message', model: 'claude-fable-5', usage })
    assert.equal(result.tokens.out_total, 13_658)
    assert.deepEqual(
      result.tokens.iterations?.map(({ model, out_total: out }) => [model, out]),
      [
        ['claude-fable-5', 578],
        ['claude-opus-4-8', 13_658]
      ]
    )
    assert.equal(result.response_model, 'claude-opus-4-8')
    assert.ok(result.warnings.includes('iterations_beyond_totals'))
  })
})

describe('failures', () => {
  // https://github.com/langfuse/langfuse/issues/9038
  test('that cost nothing have no tokens to price', () => {
    const error = { type: 'rate_limit_error', message: 'slow down' }
    const { tokens, provider_error: failure } = read(
      { type: 'error', error },
      { status: 429, headers: { 'Retry-After': '7' } }
    )
    assert.equal(tokens.in_total, null)
    assert.equal(failure?.class, 'rate_limit')
    assert.equal(failure?.retry_after_ms, 7000)
  })

  // https://github.com/QwenLM/qwen-code/issues/8284
  test('to report the cache are not a cache of 0', () => {
    const silent = read({ prompt_tokens: 4096, completion_tokens: 300, total_tokens: 4396 })
    assert.equal(silent.tokens.in_cache_read, null)
    const none = read({
      prompt_tokens: 4096,
      completion_tokens: 300,
      total_tokens: 4396,
      prompt_tokens_details: { cached_tokens: 0 }
    })
    assert.equal(none.tokens.in_cache_read, 0)
  })
})
