import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { formatUsd } from '../../schemas/money.ts'
import { loadBook } from '../../services/rates/prices/book.ts'
import { gapOf, explainedOf } from './cells.ts'
import { injectGap, INJECTIONS, type Injection } from './fixtures/injected-gap.ts'
import { reconcile } from './reconcile.ts'
import { loadImporter } from './import-bill.ts'

/** Mixes in the suite; the thousand of the proof run with MIXES=1000. */
const MIXES = Number(process.env['MIXES'] ?? 40)
const FIRST = Number(process.env['FIRST_SEED'] ?? 1)
const VERBOSE = process.env['VERBOSE'] === '1'

const book = await loadBook()

type Score = { injected: number; found: number }

const importers = new Map(
  await Promise.all(
    ['openai/costs', 'anthropic/cost-report', 'focus'].map(
      async (name) => [name, await loadImporter(name)] as const
    )
  )
)

describe('the gap injector', () => {
  test(`assigns 95 % of each injected dollar to its cause over ${MIXES} mixes`, () => {
    const scores = new Map<Injection, Score>()
    let wrong = 0
    let total = 0
    for (let seed = FIRST; seed < FIRST + MIXES; seed += 1) {
      const mix = injectGap(book, seed)
      const importer = importers.get(mix.dialect)
      assert.ok(importer)
      const result = reconcile(book, { lines: importer.read(mix.bill), events: mix.events })
      const cells = result.providers.flatMap((provider) => provider.cells)
      for (const cell of cells) assert.equal(explainedOf(cell), gapOf(cell))
      const assigned = new Map<string, number>()
      for (const cell of cells) {
        for (const [cause, pico] of Object.entries(cell.parts)) {
          const key = `${cause} ${mix.modelOf(cell.model)} ${cell.bucket}`
          assigned.set(key, (assigned.get(key) ?? 0) + Number(pico))
        }
      }
      const perCause = new Map<string, Score>()
      for (const [key, truth] of mix.truth) {
        const cause = key.split(' ')[0] as Injection
        const score = scores.get(cause) ?? { injected: 0, found: 0 }
        const own = perCause.get(cause) ?? { injected: 0, found: 0 }
        const got = assigned.get(key) ?? 0
        const overlap =
          Math.sign(got) === Math.sign(truth) ? Math.min(Math.abs(got), Math.abs(truth)) : 0
        score.injected += Math.abs(truth)
        score.found += overlap
        own.injected += Math.abs(truth)
        own.found += overlap
        scores.set(cause, score)
        perCause.set(cause, own)
      }
      for (const [key, got] of assigned) {
        const truth = mix.truth.get(key) ?? 0
        wrong += Math.abs(got - truth) / 2
        total += Math.abs(truth)
      }
      if (VERBOSE) {
        const parts = [...perCause].map(
          ([cause, { injected, found }]) =>
            `${cause} ${(injected / 1e12).toFixed(2)} → ${((100 * found) / injected).toFixed(1)}%`
        )
        const bad = [...perCause].some(([, { injected, found }]) => found < 0.95 * injected)
        if (bad) {
          console.log(
            seed,
            mix.dialect,
            mix.summary,
            '|',
            parts.join(', '),
            '|',
            Object.entries(result.causes)
              .map(([c, p]) => `${c}=${formatUsd(p)}`)
              .join(' '),
            result.providers.map((p) => p.remarks).flat()
          )
        }
      }
    }
    if (VERBOSE)
      for (const cause of INJECTIONS)
        console.log(
          cause,
          scores.get(cause),
          ((scores.get(cause)?.found ?? 0) / (scores.get(cause)?.injected ?? 1)).toFixed(4)
        )
    if (VERBOSE) console.log('wrong share', wrong / total)
    for (const cause of INJECTIONS) {
      const score = scores.get(cause)
      assert.ok(score, `${cause} was never injected`)
      assert.ok(score.found >= 0.95 * score.injected, `${cause}: ${score.found / score.injected}`)
    }
  })
})
