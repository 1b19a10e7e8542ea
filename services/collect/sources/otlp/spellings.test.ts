import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { EventRow } from '../../../../schemas/avro/flatten-event.ts'
import { checkEvent } from '../../check-event.ts'
import { eventRow } from '../../event-record.ts'
import { withTenant } from '../../intake.ts'
import otlp from './source.ts'

type Value = string | number

/** The row of one span with these attributes. */
const rowOf = (attributes: Readonly<Record<string, Value>>, scope = 'test'): EventRow => {
  const span = {
    traceId: 'a'.repeat(32),
    spanId: '1'.repeat(16),
    name: 'chat',
    startTimeUnixNano: '1770131992000000000',
    attributes: Object.entries(attributes).map(([key, value]) => ({
      key,
      value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: value }
    }))
  }
  const request = { resourceSpans: [{ scopeSpans: [{ scope: { name: scope }, spans: [span] }] }] }
  const bytes = Buffer.from(JSON.stringify(request))
  const reading = otlp.read({ bytes, mediaType: null, door: null, headers: {}, tenant: null })
  const [item] = reading.items
  assert.ok(item !== undefined, 'the span is no call')
  const rules = { nowMs: Date.parse('2026-11-24T00:00:00Z'), tenantOnly: null, itemsMax: 1 }
  const checked = checkEvent(withTenant(item.event, 'acme'), item, rules)
  assert.ok('event' in checked, JSON.stringify(checked))
  return eventRow(checked.event)
}

const counts = (row: EventRow): unknown[] =>
  ['in_uncached', 'in_cache_read', 'in_total', 'out_reasoning', 'out_total'].map(
    (name) => row[name]
  )

const CALL = {
  'gen_ai.operation.name': 'chat',
  'gen_ai.request.model': 'gpt-5',
  'gen_ai.system': 'openai'
}

/** One call: 1,000 in of which 300 read and 100 written, 200 out of which 50 thought. */
const SPELLINGS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'the conventions of now': {
    'gen_ai.usage.input_tokens': 1000,
    'gen_ai.usage.output_tokens': 200,
    'gen_ai.usage.cache_read.input_tokens': 300,
    'gen_ai.usage.cache_write.input_tokens': 100,
    'gen_ai.usage.reasoning.output_tokens': 50
  },
  'the conventions before v1.43': {
    'gen_ai.usage.input_tokens': 1000,
    'gen_ai.usage.output_tokens': 200,
    'gen_ai.usage.cache_read.input_tokens': 300,
    'gen_ai.usage.cache_creation.input_tokens': 100,
    'gen_ai.usage.reasoning.output_tokens': 50
  },
  'OpenLLMetry, with the oldest names': {
    'gen_ai.usage.prompt_tokens': 1000,
    'gen_ai.usage.completion_tokens': 200,
    'llm.usage.total_tokens': 1200,
    'gen_ai.usage.cache_read_input_tokens': 300,
    'gen_ai.usage.cache_creation_input_tokens': 100,
    'llm.usage.reasoning_tokens': 50
  },
  OpenInference: {
    'llm.token_count.prompt': 1000,
    'llm.token_count.completion': 200,
    'llm.token_count.total': 1200,
    'llm.token_count.prompt_details.cache_read': 300,
    'llm.token_count.prompt_details.cache_write': 100,
    'llm.token_count.completion_details.reasoning': 50
  },
  'short names of agents and gateways': {
    'gen_ai.usage.input_tokens': 1000,
    'gen_ai.usage.output_tokens': 200,
    'gen_ai.usage.cache_read_tokens': 300,
    'gen_ai.usage.cache_write_tokens': 100,
    'gen_ai.usage.thoughts_tokens': 50
  },
  'dotted names below the total': {
    'gen_ai.usage.input_tokens': 1000,
    'gen_ai.usage.output_tokens': 200,
    'gen_ai.usage.input_tokens.cached': 300,
    'gen_ai.usage.input_tokens.cache_creation': 100,
    'gen_ai.usage.output_tokens.reasoning': 50
  },
  'PydanticAI details': {
    'gen_ai.usage.input_tokens': 1000,
    'gen_ai.usage.output_tokens': 200,
    'gen_ai.usage.details.cache_read_tokens': 300,
    'gen_ai.usage.details.cache_write_tokens': 100,
    'gen_ai.usage.details.reasoning_tokens': 50
  }
}

describe('one call by many spellings', () => {
  for (const [spelling, attributes] of Object.entries(SPELLINGS)) {
    test(`has the same buckets by ${spelling}`, () => {
      const row = rowOf({ ...CALL, ...attributes })
      assert.deepEqual(counts(row), [600, 300, 1000, 50, 200])
      assert.equal(row['in_cache_write_unk'], 100)
      assert.deepEqual(row['usage_warnings'], ['cache_write_ttl_unknown'])
    })
  }

  test('has the same buckets by the Vercel AI SDK, of any age', () => {
    const sdk = {
      'ai.operationId': 'ai.generateText.doGenerate',
      'ai.model.provider': 'openai.chat',
      'ai.usage.inputTokens': 1000,
      'ai.usage.outputTokens': 200,
      'ai.usage.totalTokens': 1200,
      'ai.usage.cachedInputTokens': 300,
      'ai.usage.reasoningTokens': 50
    }
    assert.deepEqual(counts(rowOf(sdk)), [700, 300, 1000, 50, 200])
    const details = {
      ...sdk,
      'ai.usage.inputTokenDetails.cacheReadTokens': 300,
      'ai.usage.inputTokenDetails.cacheWriteTokens': 100
    }
    assert.deepEqual(counts(rowOf(details)), [600, 300, 1000, 50, 200])
  })

  test("has cache writes by their time to live where the SDK passes the provider's block on", () => {
    const usage = {
      input_tokens: 2,
      cache_read_input_tokens: 47_105,
      cache_creation_input_tokens: 1076,
      cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 1076 },
      output_tokens: 714
    }
    const row = rowOf({
      'ai.operationId': 'ai.streamText.doStream',
      'ai.model.provider': 'anthropic.messages',
      'gen_ai.usage.input_tokens': 48_183,
      'ai.response.providerMetadata': JSON.stringify({ anthropic: { usage } })
    })
    assert.deepEqual(counts(row), [2, 47_105, 48_183, null, 714])
    assert.equal(row['in_cache_write_1h'], 1076)
  })
})

describe('usage details of Langfuse', () => {
  const langfuse = (details: object): EventRow =>
    rowOf({
      'langfuse.observation.type': 'generation',
      'langfuse.observation.model.name': 'claude-sonnet-4-6',
      'langfuse.observation.usage_details': JSON.stringify(details)
    })

  test('are disjoint, by either of its spellings', () => {
    const disjoint = { input: 600, output: 150, output_reasoning_tokens: 50, total: 1200 }
    const long = langfuse({ ...disjoint, input_cached_tokens: 300, input_cache_creation: 100 })
    const short = langfuse({ ...disjoint, input_cache_read: 300, input_cache_creation_1h: 100 })
    assert.deepEqual(counts(long), [600, 300, 1000, 50, 200])
    assert.deepEqual(counts(short), [600, 300, 1000, 50, 200])
    assert.equal(short['in_cache_write_1h'], 100)
  })

  test('that hold the cache inside the input are told by their total', () => {
    const row = langfuse({ input: 1000, output: 200, input_cached_tokens: 400, total: 1200 })
    assert.deepEqual(counts(row), [600, 400, 1000, null, 200])
  })

  test("in the provider's own names are the provider's block", () => {
    const row = langfuse({ input_tokens: 600, cache_read_input_tokens: 300, output_tokens: 200 })
    assert.deepEqual([row['in_uncached'], row['in_cache_read'], row['out_total']], [600, 300, 200])
  })
})

test('a span of vLLM tells its queue and its first token', () => {
  const row = rowOf({
    'gen_ai.response.model': 'Qwen3-32B',
    'gen_ai.request.id': 'cmpl-1',
    'gen_ai.usage.prompt_tokens': 4096,
    'gen_ai.usage.completion_tokens': 300,
    'gen_ai.usage.num_sequences': 1,
    'gen_ai.latency.time_in_queue': '0.041',
    'gen_ai.latency.time_to_first_token': '0.25'
  })
  assert.deepEqual(
    ['kind', 'in_total', 'out_total', 'queue_ms', 'ttft_ms', 'request_id'].map((name) => row[name]),
    ['llm', 4096, 300, 41, 250, 'cmpl-1']
  )
})
