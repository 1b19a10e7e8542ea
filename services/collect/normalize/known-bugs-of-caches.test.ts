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

describe('cached tokens', () => {
  // https://github.com/langfuse/langfuse/issues/12306
  test('of Anthropic are added once: 130,213 and not 260,421', () => {
    const usage = {
      input_tokens: 5,
      cache_read_input_tokens: 128_955,
      cache_creation_input_tokens: 1253,
      output_tokens: 10
    }
    const fromProvider = read({ usage })
    assert.equal(fromProvider.tokens.in_total, 130_213)
    const fromSpan = read({
      'gen_ai.usage.input_tokens': 130_213,
      'gen_ai.usage.output_tokens': 10,
      'gen_ai.usage.details.cache_read_tokens': 128_955,
      'gen_ai.usage.details.cache_write_tokens': 1253
    })
    assert.equal(fromSpan.tokens.in_total, 130_213)
    assert.equal(fromSpan.tokens.in_uncached, 5)
  })

  // https://github.com/BerriAI/litellm/issues/14849
  test('of Gemini are charged once: $0.1849 and not $0.7642', () => {
    const { tokens, warnings } = read({
      total_tokens: 264_704,
      prompt_tokens: 262_960,
      completion_tokens: 1744,
      prompt_tokens_details: { text_tokens: 262_960, cached_tokens: 257_955 },
      completion_tokens_details: { reasoning_tokens: 0 }
    })
    const cost = usd(
      [
        [tokens.in_uncached, 1.25],
        [tokens.in_cache_read, 0.625],
        [tokens.out_total, 10]
      ],
      4
    )
    assert.equal(cost, '0.1849')
    assert.deepEqual(warnings, [])
  })

  // https://github.com/BerriAI/litellm/issues/11364
  test('in two fields that disagree: the field that is not 0 is believed, and it is said', () => {
    const { tokens, warnings, confidence } = read({
      total_tokens: 31_048,
      prompt_tokens: 30_946,
      completion_tokens: 102,
      prompt_tokens_details: { audio_tokens: null, cached_tokens: 0 },
      cache_read_input_tokens: 30_940,
      completion_tokens_details: { reasoning_tokens: 0 },
      cache_creation_input_tokens: 460
    })
    assert.equal(tokens.in_cache_read, 30_940)
    assert.equal(tokens.in_uncached, 6)
    assert.equal(tokens.in_cache_write_unk, 460)
    assert.equal(confidence, 'low')
    assert.ok(warnings.includes('witnesses_disagree: cache_read_input_tokens'))
    assert.ok(warnings.includes('cache_exceeds_prompt'))
  })

  test('that a gateway adds into the prompt leave the rest: 98,805 - 66,360 - 32,435 = 10', () => {
    const { tokens, warnings } = read({
      total_tokens: 103_925,
      prompt_tokens: 98_805,
      completion_tokens: 5120,
      prompt_tokens_details: { cached_tokens: 66_360, cache_creation_tokens: 32_435 },
      cache_read_input_tokens: 66_360,
      cache_creation_input_tokens: 32_435,
      completion_tokens_details: { reasoning_tokens: 1710 }
    })
    assert.equal(tokens.in_uncached, 10)
    assert.equal(tokens.in_total, 98_805)
    assert.equal(tokens.out_text, 3410)
    assert.deepEqual(warnings, ['cache_write_ttl_unknown'])
  })

  // https://github.com/Arize-ai/phoenix/issues/10036
  test('beside an exclusive input are told by the total: half a cent and not 42 times that', () => {
    const { tokens, warnings } = read({
      usage_metadata: {
        input_tokens: 3,
        output_tokens: 12,
        total_tokens: 13_256,
        input_token_details: { cache_creation: 25, cache_read: 13_216 }
      }
    })
    assert.deepEqual([tokens.in_uncached, tokens.in_total], [3, 13_244])
    const cost = usd(
      [
        [tokens.in_uncached, 3.3],
        [tokens.in_cache_read, 0.33],
        [tokens.in_cache_write_unk, 4.125],
        [tokens.out_total, 16.5]
      ],
      3
    )
    assert.equal(cost, '0.005')
    assert.ok(warnings.includes('convention_by_arithmetic'))
  })

  // https://github.com/Arize-ai/phoenix/issues/10783
  test('of Bedrock beside the prompt are no output: 442 tokens for $0.00663 and not 8,709', () => {
    const { tokens } = read({
      'llm.token_count.total': 8712,
      'llm.token_count.prompt': 3,
      'llm.token_count.completion': 442,
      'llm.token_count.prompt_details.cache_read': 7917,
      'llm.token_count.prompt_details.cache_write': 350
    })
    assert.deepEqual([tokens.in_uncached, tokens.in_total, tokens.out_total], [3, 8270, 442])
    assert.equal(usd([[tokens.out_total, 15]], 5), '0.00663')
  })

  // https://github.com/langfuse/langfuse/issues/10592
  test('of OpenRouter are inside the prompt: 17,903 of input and not 35,720', () => {
    const { tokens } = read(
      {
        prompt_tokens: 17_903,
        completion_tokens: 1,
        total_tokens: 17_904,
        prompt_tokens_details: { cached_tokens: 17_817 }
      },
      { provider: 'openrouter' }
    )
    assert.deepEqual(
      [tokens.in_uncached, tokens.in_cache_read, tokens.in_total],
      [86, 17_817, 17_903]
    )
  })

  // https://github.com/Arize-ai/phoenix/issues/13379
  test('of a span whose total holds them are no output: 58,291 = 4,299 + 631 + 53,361', () => {
    const { tokens } = read({
      'llm.token_count.prompt': 4299,
      'llm.token_count.completion': 631,
      'llm.token_count.total': 58_291,
      'llm.token_count.prompt_details.cache_read': 35_574,
      'llm.token_count.prompt_details.cache_write': 17_787
    })
    assert.deepEqual([tokens.in_total, tokens.in_uncached, tokens.out_total], [57_660, 4299, 631])
  })

  // https://github.com/langfuse/langfuse/issues/13724
  test('smaller than an exclusive input are told by the total as well', () => {
    const { tokens } = read({
      'gen_ai.usage.input_tokens': 5000,
      'gen_ai.usage.output_tokens': 100,
      'gen_ai.usage.total_tokens': 6100,
      'gen_ai.usage.cache_read.input_tokens': 1000
    })
    assert.deepEqual([tokens.in_uncached, tokens.in_total], [5000, 6000])
  })

  // https://github.com/maximhq/bifrost/issues/3451 and https://github.com/BerriAI/litellm/issues/9812
  test('written to the cache are not charged as input as well', () => {
    const price = (tokens: ReturnType<typeof read>['tokens'], input: number): string =>
      usd(
        [
          [tokens.in_uncached, input],
          [tokens.in_cache_write_unk, input * 1.25],
          [tokens.out_total, input * 5]
        ],
        8
      )
    const usage = { input_tokens: 6, cache_creation_input_tokens: 159_217, output_tokens: 2745 }
    assert.equal(price(read({ usage }).tokens, 5), '1.06376125')
    const smaller = {
      input_tokens: 3,
      cache_creation_input_tokens: 12_304,
      cache_read_input_tokens: 0,
      output_tokens: 550
    }
    assert.equal(price(read({ usage: smaller }).tokens, 3), '0.05439900')
  })

  // https://github.com/maximhq/bifrost/issues/904
  test('of OpenAI are not charged as input: $0.34 and not $1.68', () => {
    const { tokens } = read({
      usage: {
        input_tokens: 51_232 + 1_188_096,
        input_tokens_details: { cached_tokens: 1_188_096 },
        output_tokens: 12_909
      }
    })
    const cost = usd(
      [
        [tokens.in_uncached, 1.25],
        [tokens.in_cache_read, 0.125],
        [tokens.out_total, 10]
      ],
      2
    )
    assert.equal(cost, '0.34')
  })

  // https://github.com/BerriAI/litellm/issues/6215
  test('of OpenAI leave 2,006 - 1,920 = 86 to the full price', () => {
    const { tokens } = read({
      prompt_tokens: 2006,
      completion_tokens: 300,
      total_tokens: 2306,
      prompt_tokens_details: { cached_tokens: 1920 },
      completion_tokens_details: { reasoning_tokens: 0 }
    })
    assert.deepEqual([tokens.in_uncached, tokens.in_cache_read, tokens.in_total], [86, 1920, 2006])
  })

  // https://github.com/browser-use/browser-use/issues/5305
  test('read and written both leave the prompt: 2,000 - 500 - 300 = 1,200', () => {
    const { tokens } = read({
      prompt_tokens: 2000,
      completion_tokens: 1,
      total_tokens: 2001,
      prompt_tokens_details: { cached_tokens: 500, cache_creation_tokens: 300 }
    })
    assert.equal(tokens.in_uncached, 1200)
  })

  // https://github.com/maximhq/bifrost/issues/5510
  test('of a foreign Messages API that may count them inside are flagged, not doubled quietly', () => {
    const usage = { input_tokens: 173_306, cache_read_input_tokens: 173_056, output_tokens: 5 }
    const { warnings, confidence } = read({ usage, model: 'kimi-k3' }, { provider: 'moonshotai' })
    assert.deepEqual(warnings, ['convention_ambiguous'])
    assert.equal(confidence, 'low')
  })
})
