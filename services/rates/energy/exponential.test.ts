import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exp } from './exponential.ts'

test('the exponential is that of the engine, to two units of the last place', () => {
  for (let step = -500_000; step <= 500_000; step += 1) {
    const x = step / 9973
    const known = Math.exp(x)
    assert.ok(Math.abs(exp(x) - known) <= 5e-16 * known, `${x}: ${exp(x)} for ${known}`)
  }
})

test('what is not finite, or leaves the numbers of full precision, is left to the engine', () => {
  for (const x of [0, -0, 699.9, -699.9, 701, -720, -800, 800, Infinity, -Infinity]) {
    assert.equal(exp(x) === Math.exp(x) || Math.abs(exp(x) / Math.exp(x) - 1) < 5e-16, true, `${x}`)
  }
  assert.ok(Number.isNaN(exp(Number.NaN)))
})
