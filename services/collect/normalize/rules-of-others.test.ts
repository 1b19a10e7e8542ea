import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { normalize, type NormalizeInput } from './normalize.ts'

/** One row for each API and shape: the body, and every count that is known afterwards. */
const counts = (body: unknown, known: Omit<NormalizeInput, 'body'> = {}) => {
  const read = normalize({ ...known, body })
  const tokens = Object.entries(read.tokens).filter(([, count]) => count !== null)
  return { ...read, tokens: Object.fromEntries(tokens) }
}

describe('others', () => {
  test('are read by their own names', () => {
    const input = (body: unknown): unknown[] => {
      const { tokens } = counts(body)
      return [tokens['in_total'], tokens['out_total']]
    }
    assert.deepEqual(input({ done: true, prompt_eval_count: 811, eval_count: 184 }), [811, 184])
    assert.deepEqual(input({ inputTokenCount: 5, outputTokenCount: 2 }), [5, 2])
    assert.deepEqual(
      input({
        input: { inputTokenCount: 5, cacheReadInputTokenCount: 4 },
        output: { outputTokenCount: 2 }
      }),
      [9, 2]
    )
    const metrics = { inputTokenCount: 5, outputTokenCount: 2 }
    assert.deepEqual(input({ 'amazon-bedrock-invocationMetrics': metrics }), [5, 2])
    assert.deepEqual(input({ prompt_token_count: 5, generation_token_count: 2 }), [5, 2])
    assert.deepEqual(input({ tokens_evaluated: 5, tokens_predicted: 2 }), [5, 2])
    const results = [2, 3].map((tokenCount) => ({ tokenCount, completionReason: 'FINISH' }))
    assert.deepEqual(input({ inputTextTokenCount: 5, results }), [5, 5])
    assert.deepEqual(input({ inputTextTokenCount: 5, totalOutputTextTokenCount: 2 }), [5, 2])
    assert.deepEqual(input({ object: 'list', data: [], usage: { total_tokens: 12 } }), [
      12,
      undefined
    ])
  })

  test('say what a cache of their own had', () => {
    const timings = { cache_n: 40, prompt_n: 60, predicted_n: 50 }
    const { tokens } = counts({ tokens_evaluated: 100, tokens_predicted: 50, timings })
    assert.deepEqual([tokens['in_uncached'], tokens['in_cache_read']], [60, 40])
  })

  test('are read by the names that they had before', () => {
    const block = { promptTokens: 100, completionTokens: 50, totalTokens: 150 }
    for (const body of [{ usage: block }, { tokenUsage: block }]) {
      const { tokens, warnings } = counts(body)
      assert.deepEqual([tokens['in_total'], tokens['out_total'], warnings], [100, 50, []])
    }
  })

  test('that report one side only do not pass for whole', () => {
    assert.deepEqual(counts({ details: { generated_tokens: 7 } }).warnings, ['input_missing'])
    assert.deepEqual(counts({ input_tokens: 2095 }).warnings, ['output_missing'])
    assert.deepEqual(counts({ total_tokens: 12 }).warnings, ['total_only'])
  })

  test('bill seconds of audio, whole or rounded up', () => {
    const read = (seconds: unknown) => counts({ usage: { type: 'duration', seconds } })
    assert.deepEqual(read(37).tokens, { units: { seconds: 37 } })
    assert.deepEqual(read(36.2).tokens, { units: { seconds: 37 } })
    assert.deepEqual(read(36.2).warnings, ['seconds_rounded_up'])
    assert.deepEqual(read(-1).warnings, ['count_negative: seconds'])
  })

  test('state a cost without the noise of a double', () => {
    const cost = (more: Record<string, unknown>): string | null =>
      normalize({ body: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2, ...more } })
        .cost_reported_usd
    assert.equal(cost({ cost: 0.000041400000000000003 }), '0.0000414')
    assert.equal(cost({ cost_in_usd_ticks: 9_356_000 }), '0.0009356')
    assert.equal(cost({ cost: { total_cost: 0.5 } }), '0.5')
    assert.equal(cost({ cost: 0 }), '0')
    assert.equal(cost({ cost: 10_000 }), '10000')
    const byok = { is_byok: true, cost_details: { upstream_inference_cost: 0.02 } }
    assert.equal(cost({ cost: 0.001, ...byok }), '0.021')
  })
})
