import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Failure } from '../../schemas/failure.ts'
import { FACTORS } from '../../services/rates/energy/factors.ts'
import { parseReferenceRows } from '../../services/rates/energy/reference-rows.ts'
import { predict, type View } from './cross-validation.ts'
import { ecologitsJoules } from './ecologits.ts'
import { fitRoofline } from './fit.ts'
import { minimise, solve } from './least-squares.ts'
import { scoreOf } from './score.ts'

const CSV = readFileSync(new URL('reference/rows.csv', import.meta.url), 'utf8')
const ROWS = parseReferenceRows(CSV).filter(({ anomalous }) => !anomalous)
const BATCH: View = { knowledge: 'batch', engineKnown: true, nameKnown: true }

test('the factors that ship are what the fit gives from the rows that ship', () => {
  for (const target of ['energy', 'latency'] as const) {
    const fitted = fitRoofline(ROWS, target)
    const shipped = FACTORS[target]
    const numbers = Object.entries(fitted).filter(([, value]) => typeof value === 'number')
    for (const [name, value] of numbers) {
      const kept = shipped[name as 'memory']
      assert.ok(
        Math.abs(Number(value) - kept) <= 1e-4 * Math.max(1, Math.abs(kept)),
        `${target}.${name}`
      )
    }
  }
  assert.equal(FACTORS.provenance['rows'], ROWS.length)
})

test('architectures that a fit never saw are estimated within the bounds', () => {
  const held = ['qwen3-8b', 'gpt-oss-20b', 'mixtral-8x22b-instruct-v0.1', 'gemma-2-9b-it']
  const training = ROWS.filter(({ architecture }) => !held.includes(architecture))
  const factors = { ...FACTORS, energy: fitRoofline(training, 'energy') }
  const tested = ROWS.filter(({ architecture }) => held.includes(architecture))
  const score = scoreOf(predict(tested, BATCH, factors))
  assert.equal(score.architectures, 4)
  assert.ok(score.errorMedian <= 0.18, `median ${score.errorMedian}`)
  assert.ok(score.within2x >= 0.97, `within 2x ${score.within2x}`)
})

test('the page states what the script wrote for these factors', () => {
  const page = readFileSync(new URL('../ENERGY.md', import.meta.url), 'utf8')
  assert.ok(page.includes(FACTORS.version), `ENERGY.md is not of ${FACTORS.version}`)
  assert.match(page, /EcoLogits 0\.11\.3/)
})

test('robust least squares finds a line through outliers, and its solver inverts', () => {
  const points = Array.from({ length: 40 }, (_, x) => ({ x, y: x % 10 === 0 ? 40 : 2 + 0.5 * x }))
  const [offset = 0, slope = 0] = minimise({
    start: [0, 0],
    residuals: ([a = 0, b = 0]) => Float64Array.from(points, ({ x, y }) => a + b * x - y),
    weights: new Float64Array(points.length).fill(1),
    ridge: 0
  })
  assert.ok(Math.abs(offset - 2) < 0.2 && Math.abs(slope - 0.5) < 0.02, `${offset} ${slope}`)
  assert.deepEqual(
    solve(
      [
        [0, 2],
        [4, 0]
      ],
      [6, 8]
    ),
    [2, 3]
  )
})

test('a row without a measurement is refused, a cell with a comma is one cell', () => {
  const [header = '', first = ''] = CSV.split('\n')
  assert.throws(
    () => parseReferenceRows(`${header}\n${first.replace(/,3\.78239,/, ',,')}`),
    (error: unknown) => error instanceof Failure && error.code === 'E_FACTOR_TABLE'
  )
  assert.ok(parseReferenceRows(CSV).some(({ anomalous }) => anomalous))
})

test('EcoLogits for 8B, 396 tokens: one GPU at its fixed batch', () => {
  assert.ok(Math.abs(ecologitsJoules(8.03, 8.03, 396) / 396 - 0.162) < 0.002)
  assert.ok(Math.abs(ecologitsJoules(405.9, 405.9, 1) - 15.6) < 0.1)
})
