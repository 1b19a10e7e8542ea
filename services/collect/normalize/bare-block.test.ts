import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { normalize } from './normalize.ts'

const count = fc.constantFrom(0, 1, 7, 40, 1000, -1, 1.5, null, '12')
const details = fc.option(
  fc.dictionary(
    fc.constantFrom(
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

/** Blocks of several families, names that count alone and names that do not. */
const block = fc.record(
  {
    prompt_tokens: count,
    completion_tokens: count,
    total_tokens: count,
    input_tokens: count,
    output_tokens: count,
    cache_read_input_tokens: count,
    promptTokenCount: count,
    candidatesTokenCount: count,
    'gen_ai.usage.input_tokens': count,
    'gen_ai.usage.output_tokens': count,
    new_kind_of_tokens: count,
    prompt_tokens_details: details,
    completion_tokens_details: details,
    cache_creation: details,
    server_tool_use: details,
    details,
    usage: details,
    service_tier: word,
    speed: word,
    inference_geo: word,
    status: word,
    error: word,
    message: word,
    model: word,
    type: word
  },
  { requiredKeys: [], noNullPrototype: true }
)

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
