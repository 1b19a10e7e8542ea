import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { normalize, type NormalizeInput } from './normalize.ts'

/**
 * Figures from public bug reports of other meters: each is what the report says went wrong, and
 * what is right. The link stands beside the case.
 */
const read = (body: unknown, known: Omit<NormalizeInput, 'body'> = {}) =>
  normalize({ ...known, body })

/** Dollars at prices per million tokens, rounded as the reports round. */
const usd = (parts: readonly (readonly [number | null, number])[], digits: number): string =>
  parts.reduce((sum, [count, price]) => sum + ((count ?? 0) * price) / 1e6, 0).toFixed(digits)

describe('cache prices', () => {
  // https://github.com/BerriAI/litellm/pull/36762
  test('of writes for an hour on Bedrock: $0.09634 and not $0.0602', () => {
    const usage = {
      inputTokens: 34,
      outputTokens: 1,
      totalTokens: 9669,
      cacheReadInputTokens: 0,
      cacheWriteInputTokens: 9634,
      cacheDetails: [{ ttl: '1h', inputTokens: 9634 }]
    }
    const { tokens, warnings } = read({ usage })
    assert.equal(tokens.in_cache_write_1h, 9634)
    assert.equal(tokens.in_cache_write_5m, null)
    assert.equal(usd([[tokens.in_cache_write_1h, 10]], 5), '0.09634')
    assert.deepEqual(warnings, [])
  })

  // https://github.com/BerriAI/litellm/issues/15056
  test('can be checked, since both times to live are on the row', () => {
    const usage = {
      input_tokens: 18,
      cache_creation_input_tokens: 2089,
      cache_creation: { ephemeral_5m_input_tokens: 1000, ephemeral_1h_input_tokens: 1089 },
      output_tokens: 1
    }
    const { tokens } = read({ usage })
    assert.deepEqual([tokens.in_cache_write_5m, tokens.in_cache_write_1h], [1000, 1089])
    assert.equal(tokens.in_cache_write_unk, null)
  })

  // https://github.com/BerriAI/litellm/issues/42663
  test('cover all writes where the split is that of the first snapshot: 184,457 and not 31,490', () => {
    const { tokens, warnings } = read({
      prompt_tokens: 734_311,
      completion_tokens: 1000,
      cache_read_input_tokens: 426_653,
      cache_creation_input_tokens: 184_457,
      prompt_tokens_details: {
        cache_creation_token_details: {
          ephemeral_5m_input_tokens: 31_490,
          ephemeral_1h_input_tokens: 0
        }
      },
      server_tool_use: { web_search_requests: 5 }
    })
    assert.equal(tokens.in_cache_write_5m, 31_490)
    assert.equal(tokens.in_cache_write_unk, 152_967)
    assert.equal(tokens.in_uncached, 734_311 - 426_653 - 184_457)
    assert.deepEqual(tokens.units, { web_search: 5 })
    assert.deepEqual(warnings, ['cache_write_ttl_unknown'])
  })

  // https://github.com/BerriAI/litellm/pull/38341
  test('of a batch can be applied, since the line of a batch says that it is one', () => {
    const usage = {
      prompt_tokens: 1000,
      completion_tokens: 10,
      total_tokens: 1010,
      prompt_tokens_details: { cached_tokens: 900 }
    }
    const body = { id: 'chatcmpl-1', object: 'chat.completion', model: 'gpt-4.1', usage }
    const line = { id: 'b', custom_id: 'c', response: { status_code: 200, body }, error: null }
    const { tokens, batch, response_model: model } = read(line)
    assert.deepEqual([batch, model, tokens.in_cache_read], [true, 'gpt-4.1', 900])
    const message = {
      type: 'message',
      model: 'claude-x',
      usage: { input_tokens: 1, output_tokens: 2 }
    }
    assert.equal(read({ custom_id: 'c', result: { type: 'succeeded', message } }).batch, true)
  })
})
