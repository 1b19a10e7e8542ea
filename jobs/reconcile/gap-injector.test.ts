import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadBook } from '../../services/rates/prices/book.ts'
import { INJECTIONS } from './fixtures/injected-gap.ts'
import { scoreMixes } from './fixtures/score-mixes.ts'
import { loadImporter } from './import-bill.ts'

/** Few mixes in the suite; MIXES=1000 is the proof. */
const MIXES = Number(process.env['MIXES'] ?? 10)
const FIRST_SEED = Number(process.env['FIRST_SEED'] ?? 1)
/** From this many mixes on, every cause must reach the bar by itself. */
const MIXES_MANY = 200
const BAR = 0.95

test(`assigns 95 % of the injected dollars to their causes over ${MIXES} mixes`, async (t) => {
  const names = ['openai/costs', 'anthropic/cost-report', 'focus']
  const importers = new Map(
    await Promise.all(names.map(async (name) => [name, await loadImporter(name)] as const))
  )
  const book = await loadBook()
  const scores = scoreMixes(book, importers, { first: FIRST_SEED, count: MIXES })
  for (const [cause, { injected, found }] of scores.causes) {
    const part = injected === 0 ? 1 : found / injected
    t.diagnostic(`${cause} $${(injected / 1e12).toFixed(2)} ${(100 * part).toFixed(2)} %`)
    if (MIXES >= MIXES_MANY) assert.ok(part >= BAR, `${cause}: ${part}`)
  }
  t.diagnostic(`wrong ${(100 * scores.wrongShare).toFixed(2)} %`)
  assert.equal(scores.unbalanced, 0)
  assert.equal(scores.causes.size, INJECTIONS.length)
  assert.ok(scores.wrongShare <= 1 - BAR, `wrong ${scores.wrongShare}`)
})
