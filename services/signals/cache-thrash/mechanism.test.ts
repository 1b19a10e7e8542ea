import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ownMechanism } from './mechanism.ts'

const USUAL = {
  events: 10,
  input: 10_000,
  cached: 4000,
  novel: 3000,
  remiss: 3000,
  usual: 7000,
  alive: 9000,
  headNovel: 500
}

const after = (change: Partial<typeof USUAL>) =>
  ownMechanism({
    tenant: 't',
    before: USUAL,
    after: { ...USUAL, ...change },
    lost: 0,
    score: 1,
    suspect: true,
    sure: true
  })

test('four times the calls are volume, though their first prompts are new to the cache', () => {
  const four = { events: 40, input: 40_000, novel: 26_000, headNovel: 2000 }
  assert.equal(after(four), 'own-volume-grew')
})

test('as many calls with twice the new tokens changed their shape, from the first block or later', () => {
  assert.equal(after({ novel: 6500, headNovel: 600 }), 'own-prefix-broke-mid-prompt')
  assert.equal(after({ novel: 9500, headNovel: 5500 }), 'own-prefix-broke-early')
  // Some more calls at the same time do not hide it.
  const both = { events: 15, input: 15_000, novel: 14_000, headNovel: 8000 }
  assert.equal(after(both), 'own-prefix-broke-early')
})
