import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EVENT_FIELDS } from '../../schemas/event-fields.ts'
import { UsageEvent } from '../../schemas/event.ts'
import { plainEvent } from './plain-event.ts'

const PLAIN = { id: 'e-1', time: '2026-11-24T10:00:00.123Z', tenant: 'acme', kind: 'llm' }

/** Values near the borders of every rule. */
const value = fc.oneof(
  fc.constantFrom(
    null,
    undefined,
    '',
    'x',
    'ä',
    'a\u200bb',
    'x'.repeat(1024),
    'x'.repeat(1025),
    0,
    -1,
    1,
    1.5,
    999,
    1000,
    1_000_001,
    2 ** 31 - 1,
    2 ** 31,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '0.0012',
    '-1',
    '1.',
    '1e3',
    true,
    'llm',
    'pass',
    '2026-02-29T10:00:00Z',
    '2028-02-29T10:00:00Z',
    '2026-11-31T10:00:00Z',
    '2026-12-31T10:00Z',
    '2026-02-30T10:00:00Z',
    '2026-02-28T10:00:00+02:00',
    '2026-11-24T24:00:00Z',
    '2026-11-24 10:00:00Z'
  ),
  fc.array(fc.constantFrom('x', '', 1, 0.5, Number.NaN, null), { maxLength: 3 }),
  fc.dictionary(
    fc.constantFrom('in', 'out', 'tokenizer', 'hash', 'blocks', 'in_uncached', 'units', 'other'),
    fc.constantFrom('x', '', 1, -1, null, 2 ** 31, 'ä'),
    { noNullPrototype: true }
  ),
  fc.string({ maxLength: 5 })
)
const names = [...new Set(EVENT_FIELDS.map(({ path }) => path.split('.')[0] ?? '')), 'unknown']

test('what is taken for plainly right satisfies the schema, and comes out of it the same', () => {
  let taken = 0
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 4, noNullPrototype: true }),
      fc.boolean(),
      (fields, isWhole) => {
        const candidate = isWhole ? { ...PLAIN, ...fields } : fields
        const plain = plainEvent(candidate)
        if (plain === null) return
        taken++
        const judged = UsageEvent.safeParse(candidate)
        assert.ok(judged.success, JSON.stringify(candidate))
        assert.deepEqual({ ...judged.data }, { ...plain })
      }
    ),
    { numRuns: 3000, seed: 7 }
  )
  assert.ok(taken > 100, `only ${taken} of the candidates were plain`)
})

test('a usual event is plainly right, and a key that JavaScript treats specially is not', () => {
  const usual = {
    ...PLAIN,
    time: '2026-11-29T23:59:59.123456+02:00',
    attempt: 1,
    status: 200,
    temperature: 0.7,
    scores: [0.25, 1],
    cost_reported_usd: '0.000123',
    verdict: null,
    concurrency: null,
    usage: { prompt_tokens: 5 },
    tags: { feature: 'search' },
    local: { tokenizer: 'o200k', in: 5 },
    tokens: { in_uncached: 5, out_text: null }
  }
  assert.equal(plainEvent(usual), usual)
  assert.equal(plainEvent(JSON.parse('{"__proto__":{"id":"a"},"time":"x"}')), null)
})
