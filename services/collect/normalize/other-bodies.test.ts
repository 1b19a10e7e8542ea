import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { normalize } from './normalize.ts'

/** Bodies of APIs that are met less often, with nothing said about where they come from. */
const read = (body: unknown) => {
  const { tokens, warnings, provider, confidence } = normalize({ body })
  return { tokens, warnings, provider, confidence }
}

describe('without its provider named', () => {
  test('a compound system of Groq is what its models used, each by its name', () => {
    const usage = (prompt: number, completion: number) => ({
      prompt_tokens: prompt,
      completion_tokens: completion,
      total_tokens: prompt + completion
    })
    const models = [
      { model: 'llama-3.3-70b', usage: usage(6, 1) },
      { model: 'openai/gpt-oss-120b', usage: usage(4, 1) }
    ]
    const body = { object: 'chat.completion', model: 'groq/compound', usage: usage(10, 2) }
    const { tokens, warnings } = read({ ...body, usage_breakdown: { models } })
    assert.deepEqual(
      tokens.iterations?.map(({ model, in_total: input, out_total: output }) => [
        model,
        input,
        output
      ]),
      [
        ['llama-3.3-70b', 6, 1],
        ['openai/gpt-oss-120b', 4, 1]
      ]
    )
    assert.deepEqual([tokens.in_total, tokens.out_total], [10, 2])
    assert.deepEqual(warnings, [])
    const partly = read({ ...body, usage_breakdown: { models: models.slice(1) } })
    assert.deepEqual(partly.warnings, ['iterations_incomplete'])
  })

  test("xAI's own SDK has reasoning outside and the cache under its own name", () => {
    const { tokens, provider, warnings } = read({
      usage: {
        prompt_tokens: 100,
        completion_tokens: 5,
        reasoning_tokens: 30,
        total_tokens: 135,
        prompt_text_tokens: 100,
        cached_prompt_text_tokens: 40,
        prompt_image_tokens: 0
      }
    })
    assert.equal(provider, 'x_ai')
    assert.deepEqual([tokens.in_uncached, tokens.in_cache_read, tokens.out_total], [60, 40, 35])
    assert.deepEqual(warnings, [])
  })

  test("SGLang's own API and watsonx tell their counts", () => {
    const sglang = read({
      text: 'x',
      meta_info: { id: 'a', prompt_tokens: 10, completion_tokens: 4, e2e_latency: 0.5 }
    })
    assert.deepEqual([sglang.tokens.in_total, sglang.tokens.out_total], [10, 4])
    const watsonx = read({
      model_id: 'ibm/granite-4',
      results: [{ generated_text: 'x', generated_token_count: 20, input_token_count: 10 }]
    })
    assert.deepEqual([watsonx.tokens.in_total, watsonx.tokens.out_total], [10, 20])
  })

  test('what has no usage is said to have none, and never 0', () => {
    for (const body of [{ pages: [] }, { data: { id: 'gen-1' } }, {}, [], 'text', null]) {
      const { tokens, confidence } = read(body)
      assert.deepEqual([tokens.in_total, tokens.out_total, confidence], [null, null, 'none'])
    }
  })
})
