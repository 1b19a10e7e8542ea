import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { loadBook } from '../../services/rates/prices/book.ts'
import { injectGap } from './fixtures/injected-gap.ts'
import { INJECTIONS } from './fixtures/injections.ts'
import { FOUND_MIN, loadImporters, scoreMixes } from './fixtures/score-mixes.ts'
import { reconcile } from './reconcile.ts'

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

  test('has an error bar that holds what is off where missing calls also changed tier', () => {
    const mix = injectGap(book, 930_072)
    const lines = importers.get(mix.dialect)?.read(mix.bill) ?? []
    const { providers } = reconcile(book, { lines, events: mix.events })
    const told = providers
      .flatMap(({ cells }) => cells)
      .reduce((sum, { parts }) => sum + Number(parts.unseen_calls ?? 0n), 0)
    const truth = [...mix.truth].reduce(
      (sum, [key, pico]) => sum + (key.startsWith('unseen_calls') ? pico : 0),
      0
    )
    const error = providers.reduce((sum, { errorPico }) => sum + errorPico, 0)
    assert.ok(told !== truth && Math.abs(told - truth) <= error, `${told} for ${truth} ± ${error}`)
  })
})
