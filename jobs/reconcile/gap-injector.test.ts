import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { loadBook } from '../../services/rates/prices/book.ts'
import { INJECTIONS } from './fixtures/injections.ts'
import { FOUND_MIN, loadImporters, scoreMixes } from './fixtures/score-mixes.ts'

/** Few mixes in the suite; `infra/prove/gap.sh` has the thousands, and bars for each cause. */
const MIXES = 5

describe('a bill with differences put in on purpose', async () => {
  const [book, importers] = [await loadBook(), await loadImporters()]
  for (const shape of ['usual', 'tiny', 'negative'] as const) {
    test(`has them explained: ${shape} mixes`, () => {
      const scores = scoreMixes(book, importers, { first: 1, count: MIXES, shape })
      assert.equal(scores.unbalanced, 0, 'the causes of a cell sum to its gap')
      assert.equal(scores.causes.size, INJECTIONS.length)
      assert.ok(scores.wrongShare <= 1 - FOUND_MIN, `wrong ${scores.wrongShare}`)
    })
  }

  test('has its clock told although calls are missing and output is counted differently', () => {
    const { causes } = scoreMixes(book, importers, { first: 930_046, count: 1, shape: 'crowded' })
    const { injected = 0, found = 0 } = causes.get('timing') ?? {}
    assert.ok(injected > 0 && found > injected / 2, `found ${found} of ${injected}`)
  })
})
