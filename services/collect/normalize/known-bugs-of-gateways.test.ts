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

describe('gateways', () => {
  // https://github.com/BerriAI/litellm/pull/26919, https://github.com/langfuse/langfuse/issues/10592
  test('of a gateway whose prompt holds them never make the input larger than its total', () => {
    const { tokens } = read(
      {
        prompt_tokens: 47_209,
        completion_tokens: 512,
        total_tokens: 47_721,
        prompt_tokens_details: { cached_tokens: 45_102, cache_creation_tokens: 2089 },
        cache_read_input_tokens: 45_102,
        cache_creation_input_tokens: 2089
      },
      { provider: 'anthropic', emitter: 'litellm' }
    )
    assert.deepEqual([tokens.in_uncached, tokens.in_total], [18, 47_209])
  })
})

describe('sub-inferences that served', () => {
  // https://github.com/BerriAI/litellm/pull/39294
  test('cost what each of their models costs: $0.8586 and not $0.5580', () => {
    const declined = {
      type: 'message',
      model: 'claude-fable-5',
      input_tokens: 0,
      output_tokens: 299,
      cache_creation_input_tokens: 2085,
      cache_read_input_tokens: 560_186
    }
    const answered = {
      type: 'fallback_message',
      model: 'claude-opus-4-8',
      input_tokens: 0,
      output_tokens: 696,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: 480_000
    }
    const usage = { ...answered, iterations: [declined, answered] }
    const { tokens } = read({ type: 'message', model: 'claude-opus-4-8', usage })
    const prices: Record<string, number> = { 'claude-fable-5': 10, 'claude-opus-4-8': 5 }
    const cost = (priceOf: (model: string) => number): string =>
      (tokens.iterations ?? [])
        .reduce((sum, one) => {
          const price = priceOf(one.model ?? '')
          const input = (one.in_uncached ?? 0) + (one.in_cache_read ?? 0) * 0.1
          const written = (one.in_cache_write_unk ?? 0) * 1.25
          return sum + ((input + written + (one.out_total ?? 0) * 5) * price) / 1e6
        }, 0)
        .toFixed(4)
    assert.equal(
      cost((model) => prices[model] ?? Number.NaN),
      '0.8586'
    )
    assert.equal(
      cost(() => 5),
      '0.5580',
      'what one price for all would say'
    )
  })
})

describe('streams of a whole fleet', () => {
  // https://github.com/envoyproxy/ai-gateway/pull/2116
  test('of which 28 % end early are all counted, and no cache write of theirs is lost', () => {
    const start = (written: number) => ({
      input_tokens: 10,
      cache_creation_input_tokens: written,
      cache_read_input_tokens: 500,
      output_tokens: 1
    })
    // 28 streams that are cut hold 37 % of all writes.
    const streams = Array.from({ length: 100 }, (_, index) => {
      const whole = anthropicStream(start(index < 28 ? 1321 : 875), { output_tokens: 40 })
      return index < 28 ? whole.slice(0, 1) : whole
    })
    const all = streams.map((stream) => read(stream))
    const written = all.map(({ tokens }) => tokens.in_cache_write_unk ?? Number.NaN)
    assert.equal(
      written.reduce((sum, one) => sum + one, 0),
      28 * 1321 + 72 * 875
    )
    assert.equal(all.filter(({ usage_source: source }) => source === 'provider_partial').length, 28)
  })

  // https://github.com/aiosbrain/aios-team-brain/pull/450
  test('of which 47 % time out without usage leave calls whose tokens are unknown and not 0', () => {
    const all = Array.from({ length: 100 }, (_, index) =>
      index < 47
        ? read({ error: { type: 'timeout_error', message: 'timed out' } }, { status: 504 })
        : read({ usage: { prompt_tokens: 10, completion_tokens: 1, total_tokens: 11 } })
    )
    const unknown = all.filter(({ tokens }) => tokens.in_total === null)
    assert.equal(unknown.length, 47)
    assert.ok(
      unknown.every(
        ({ tokens, provider_error: error }) => tokens.out_total === null && error !== null
      )
    )
  })
})
