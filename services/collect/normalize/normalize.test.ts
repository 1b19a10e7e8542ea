import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { normalize } from './normalize.ts'

const details = { cached_tokens: 2048, cache_write_tokens: 512 }
const CHAT = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  model: 'gpt-5.6-sol',
  service_tier: 'default',
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', refusal: null } }],
  usage: {
    prompt_tokens: 3000,
    completion_tokens: 620,
    total_tokens: 3620,
    prompt_tokens_details: details,
    completion_tokens_details: { reasoning_tokens: 400 }
  }
}

describe('a result', () => {
  test('holds disjoint buckets, totals, and what the response says of itself', () => {
    const read = normalize({ provider: 'openai', api: 'chat', model: 'gpt-5.6', body: CHAT })
    const known = Object.entries(read.tokens).filter(([, count]) => count !== null)
    assert.deepEqual(Object.fromEntries(known), {
      in_uncached: 440,
      in_cache_read: 2048,
      in_cache_write_unk: 512,
      out_text: 220,
      out_reasoning: 400,
      in_total: 3000,
      out_total: 620
    })
    assert.equal(read.provider, 'openai')
    assert.equal(read.request_model, 'gpt-5.6')
    assert.equal(read.response_model, 'gpt-5.6-sol')
    assert.equal(read.response_id, 'chatcmpl-1')
    assert.equal(read.service_tier, 'default')
    assert.equal(read.stop_reason, 'stop')
    assert.equal(read.stop_class, 'complete')
    assert.equal(read.refusal, false)
    assert.equal(read.convention, 'any/chat cache-inside reasoning-inside')
    assert.equal(read.confidence, 'high')
    assert.equal(read.usage_source, 'provider_final')
    assert.deepEqual(read.warnings, ['cache_write_ttl_unknown'])
  })

  test('keeps what the caller says and works out what the caller does not', () => {
    const usage = { inputTokens: 1, outputTokens: 2, totalTokens: 3, serverToolUsage: {} }
    assert.equal(normalize({ body: { usage } }).provider, 'aws.bedrock')
    assert.equal(normalize({ body: { usage } }).api, 'converse')
    assert.equal(normalize({ provider: 'Bedrock', body: { usage } }).provider, 'Bedrock')
  })

  test('says so where the body contradicts the named API, and follows the body', () => {
    const usage = { input_tokens: 5, cache_read_input_tokens: 100, output_tokens: 2 }
    const read = normalize({ provider: 'openai', api: 'chat', body: { usage } })
    assert.equal(read.tokens.in_total, 105)
    assert.deepEqual(read.warnings, ['api_contradicted'])
    const otel = normalize({ provider: 'aws.bedrock', api: 'chat', body: { usage } })
    assert.deepEqual(otel.warnings, [])
  })

  test('of two conventions under the same names follows the names where fields do not tell', () => {
    const body = { input_tokens: 10, output_tokens: 5, cached_tokens: 4 }
    assert.equal(normalize({ provider: 'openai', api: 'responses', body }).tokens.in_uncached, 6)
    const plain = { input_tokens: 10, output_tokens: 5 }
    assert.equal(normalize({ provider: 'anthropic', body: plain }).api, 'messages')
    assert.equal(normalize({ provider: 'openai', body: plain }).api, 'responses')
  })

  test('is nothing, and says why, for bodies without usage', () => {
    const why = (body: unknown): string[] => normalize({ body }).warnings
    assert.deepEqual(why({ id: 'x', choices: [] }), ['usage_missing'])
    assert.deepEqual(why({ usage: 5 }), ['usage_unreadable'])
    assert.deepEqual(why({ usage: {} }), ['usage_unreadable'])
    assert.deepEqual(why('hello'), ['body_unreadable'])
    assert.deepEqual(why(''), ['body_unreadable'])
    assert.deepEqual(why({ prompt_tokens: 0, completion_tokens: 0 }), ['usage_all_zero'])
    assert.deepEqual(why(7), ['body_unreadable'])
    for (const body of [{ usage: 5 }, 'hello', 7]) {
      assert.equal(normalize({ body }).confidence, 'none')
      assert.equal(normalize({ body }).usage_source, 'none')
    }
  })

  test('is not misled by usage in texts and tool arguments', () => {
    const content = [{ type: 'tool_use', input: { usage: { input_tokens: 9, output_tokens: 9 } } }]
    assert.deepEqual(normalize({ body: { type: 'message', content } }).warnings, ['usage_missing'])
  })
})

describe('one event of a stream alone', () => {
  const flagged = (body: unknown): string[] => normalize({ body }).warnings

  test('does not pass for a whole response', () => {
    const usage = { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 }
    const choices = [{ index: 0, delta: { content: 'a' }, finish_reason: null }]
    assert.deepEqual(flagged({ object: 'chat.completion.chunk', choices, usage }), ['stream_cut'])
    const counts = { promptTokenCount: 5, candidatesTokenCount: 1, totalTokenCount: 6 }
    const candidate = { content: { parts: [] } }
    const chunk = { candidates: [candidate], usageMetadata: counts }
    assert.deepEqual(flagged(chunk), ['stream_cut'])
    assert.deepEqual(flagged({ model: 'm', done: false, eval_count: 3, prompt_eval_count: 2 }), [
      'stream_cut'
    ])
    const message = { id: 'm', type: 'message', usage: { input_tokens: 5, output_tokens: 1 } }
    assert.deepEqual(flagged({ type: 'message_start', message }), ['stream_cut'])
    const logged = { ...message, stop_reason: null }
    assert.deepEqual(flagged(logged), ['stream_cut'])
    assert.deepEqual(flagged({ type: 'assistant', message: logged }), ['stream_cut'])
    const running = { object: 'response', status: 'in_progress', usage: logged.usage }
    assert.deepEqual(flagged(running), ['stream_cut'])
  })

  test('of several choices is not the end while another choice runs', () => {
    const usage = { prompt_tokens: 5, completion_tokens: 9, total_tokens: 14 }
    const chunk = (index: number, reason: string | null, counts: unknown) => ({
      object: 'chat.completion.chunk',
      choices: [{ index, delta: {}, finish_reason: reason }],
      usage: counts
    })
    const first = [chunk(0, null, null), chunk(1, null, null), chunk(0, 'stop', usage)]
    assert.deepEqual(flagged(first), ['stream_cut'])
    assert.deepEqual(flagged([...first, chunk(1, 'stop', usage)]), [])
  })

  test('that only repeats zeros does not wipe out the counts before it', () => {
    const usage = { prompt_tokens: 5, completion_tokens: 9, total_tokens: 14 }
    const zeros = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }
    const read = normalize({
      body: [
        { choices: [], usage },
        { choices: [], usage: zeros }
      ]
    })
    assert.equal(read.tokens.in_total, 5)
    assert.deepEqual(read.warnings, ['stream_zero_ignored'])
  })

  test('that carries an error keeps the counts before it and says both', () => {
    const read = normalize({
      body:
        'event: message_start\ndata: {"type":"message_start","message":{"id":"m","type":"message",' +
        '"usage":{"input_tokens":12,"output_tokens":1}}}\n\n' +
        'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"x"}}\n\n'
    })
    assert.equal(read.tokens.in_total, 12)
    assert.equal(read.provider_error?.class, 'overloaded')
    assert.equal(read.stop_class, 'error')
    assert.deepEqual(read.warnings, ['stream_error'])
  })
})

describe('stop reasons', () => {
  const classOf = (body: Record<string, unknown>): (string | boolean | null)[] => {
    const { stop_reason: reason, stop_class: stop, refusal } = normalize({ body })
    return [reason, stop, refusal]
  }
  const choice = (finish: string, message: unknown = {}) => ({
    choices: [{ finish_reason: finish, message }]
  })

  test('are kept as they are and classed for every provider', () => {
    assert.deepEqual(classOf(choice('tool_calls')), ['tool_calls', 'tool', false])
    assert.deepEqual(classOf({ stop_reason: 'max_tokens' }), ['max_tokens', 'length', false])
    assert.deepEqual(classOf({ stop_reason: 'pause_turn' }), ['pause_turn', 'pause', false])
    assert.deepEqual(classOf({ finish_reason: 'MAX_TOKENS' }), ['MAX_TOKENS', 'length', false])
    assert.deepEqual(classOf({ stopReason: 'guardrail_intervened' }), [
      'guardrail_intervened',
      'guardrail',
      false
    ])
    assert.deepEqual(classOf({ candidates: [{ finishReason: 'MALFORMED_FUNCTION_CALL' }] }), [
      'MALFORMED_FUNCTION_CALL',
      'malformed',
      false
    ])
    assert.deepEqual(classOf({ stop_reason: 'model_context_window_exceeded' }), [
      'model_context_window_exceeded',
      'context_exceeded',
      false
    ])
    assert.deepEqual(classOf({ stop_reason: 'brand_new_reason' }), ['brand_new_reason', null, null])
  })

  test('tell refusals by the model from filters by the provider', () => {
    assert.deepEqual(classOf({ stop_reason: 'refusal' }), ['refusal', 'refusal_model', true])
    assert.deepEqual(classOf(choice('stop', { refusal: 'I can not' })), [
      'stop',
      'refusal_model',
      true
    ])
    assert.deepEqual(classOf(choice('content_filter')), [
      'content_filter',
      'refusal_provider_filter',
      true
    ])
    assert.deepEqual(classOf({ promptFeedback: { blockReason: 'PROHIBITED_CONTENT' } }), [
      'PROHIBITED_CONTENT',
      'refusal_provider_filter',
      true
    ])
    const part = { type: 'refusal', refusal: 'no' }
    const output = [{ type: 'message', content: [part] }]
    assert.deepEqual(classOf({ object: 'response', status: 'completed', output }), [
      'completed',
      'refusal_model',
      true
    ])
  })
})

describe('errors', () => {
  const classOf = (body: unknown, status: number | null = null): string | undefined =>
    normalize({ body, status }).provider_error?.class

  test('are classed by their native words', () => {
    const openai = (type: string, code: string | null, message = ''): unknown => ({
      error: { type, code, message }
    })
    assert.equal(classOf(openai('insufficient_quota', 'insufficient_quota'), 429), 'quota')
    assert.equal(classOf(openai('requests', 'rate_limit_exceeded'), 429), 'rate_limit')
    assert.equal(
      classOf(openai('invalid_request_error', 'context_length_exceeded')),
      'context_length'
    )
    assert.equal(
      classOf(openai('invalid_request_error', null, 'prompt is too long: 1')),
      'context_length'
    )
    assert.equal(classOf({ type: 'error', error: { type: 'overloaded_error' } }, 529), 'overloaded')
    assert.equal(classOf({ __type: 'com.amazon#ThrottlingException', message: '' }), 'rate_limit')
    assert.equal(classOf({ error: { code: 403, status: 'PERMISSION_DENIED' } }), 'permission')
    assert.equal(classOf({ error: 'model not found' }), 'not_found')
    assert.equal(classOf([{ error: { code: 503, status: 'UNAVAILABLE' } }]), 'overloaded')
    assert.equal(classOf('<html>Bad gateway</html>', 502), 'overloaded')
  })

  test('of a content filter are refusals and no outages', () => {
    const error = {
      code: 'content_filter',
      innererror: { code: 'ResponsibleAIPolicyViolation' },
      message: 'blocked'
    }
    const read = normalize({ body: { error }, status: 400 })
    assert.equal(read.provider_error?.class, 'content_filter')
    assert.equal(read.stop_class, 'refusal_provider_filter')
    assert.equal(read.refusal, true)
  })

  test('tell when to try again', () => {
    const after = (headers: Record<string, unknown>): number | null | undefined =>
      normalize({ body: {}, status: 429, headers }).provider_error?.retry_after_ms
    assert.equal(after({ 'retry-after-ms': '1500' }), 1500)
    assert.equal(after({ 'Retry-After': ['2'] }), 2000)
    assert.equal(after({ 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }), null)
    assert.equal(after({}), null)
  })

  test('that were billed nevertheless keep their tokens', () => {
    const usage = { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 }
    const read = normalize({ body: { usage }, status: 500 })
    assert.equal(read.tokens.in_total, 5)
    assert.equal(read.provider_error?.class, 'server')
  })
})

describe('other meters in a response', () => {
  test('are units, cost as stated, and the reason of a cache miss', () => {
    const anthropic = normalize({
      body: {
        type: 'message',
        diagnostics: { cache_miss_reason: { type: 'tools_changed', cache_missed_input_tokens: 9 } },
        usage: {
          input_tokens: 1,
          output_tokens: 1,
          cache_read_input_tokens: 0,
          server_tool_use: { web_search_requests: 3 },
          inference_geo: 'us',
          speed: 'fast'
        }
      }
    })
    assert.deepEqual(anthropic.tokens.units, { web_search: 3 })
    assert.deepEqual([anthropic.region, anthropic.speed], ['us', 'fast'])
    assert.deepEqual(
      [anthropic.cache_miss_reason, anthropic.cache_missed_tokens],
      ['tools_changed', 9]
    )
  })
})
