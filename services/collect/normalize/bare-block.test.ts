import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { normalize } from './normalize.ts'

const count = fc.constantFrom(0, 1, 7, 40, 1000, -1, 1.5, null, '12')
const details = fc.option(
  fc.dictionary(
    fc.constantFrom(
      'input_tokens',
      'cached_tokens',
      'reasoning_tokens',
      'audio_tokens',
      'ephemeral_1h_input_tokens'
    ),
    count,
    { noNullPrototype: true }
  )
)
const word = fc.constantFrom('standard', 'fast', 'batch', 'not_available', 'eu', '', null, 5)

const named = (names: readonly string[], value: fc.Arbitrary<unknown>) =>
  fc.tuple(fc.constantFrom(...names), value)

/** Blocks of several families: few fields each, so that some hold counts alone and some do not. */
const block = fc
  .array(
    fc.oneof(
      named(['prompt_tokens', 'completion_tokens', 'total_tokens', 'new_kind_of_tokens'], count),
      named(['input_tokens', 'output_tokens', 'cache_read_input_tokens'], count),
      named(['promptTokenCount', 'candidatesTokenCount', 'gen_ai.usage.input_tokens'], count),
      named(['prompt_tokens_details', 'cache_creation', 'server_tool_use', 'usage'], details),
      named(['service_tier', 'speed', 'inference_geo'], word),
      named(['model', 'status', 'error', 'type', 'details'], word)
    ),
    { maxLength: 4 }
  )
  .map((fields): Record<string, unknown> => Object.fromEntries(fields))

const read = (body: Readonly<Record<string, unknown>>, status: number | null): object => ({
  ...normalize({ provider: 'openai', model: 'm', status, body }),
  usage: null
})

test('a usage block alone is read as if it stood in a body that may say anything', () => {
  fc.assert(
    fc.property(block, fc.constantFrom(null, 200, 429), (body, status) => {
      // A flag that no provider knows keeps the body from being taken for counts alone.
      assert.deepEqual(read(body, status), read({ ...body, flag: true }, status))
    }),
    { numRuns: 3000, seed: 7 }
  )
})
