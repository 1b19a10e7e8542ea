import assert from 'node:assert/strict'
import { test } from 'node:test'
import { log, logAll } from './logarithm.ts'

const near = (x: number): void => {
  const known = Math.log(x)
  const bound = 4e-16 * Math.max(1, Math.abs(known))
  assert.ok(Math.abs(log(x) - known) <= bound, `${x}: ${log(x)} for ${known}`)
}

test('the logarithm is that of the engine, to 4e-16', () => {
  for (let step = -300_000; step <= 300_000; step += 1) near(Math.exp(step / 9973))
  for (let power = -1022; power <= 1023; power += 1) {
    for (const x of [1, 1.4999, 1.9999999]) near(x * 2 ** power)
  }
})

test('around 1 it is exact where it counts: parts of the table meet', () => {
  assert.equal(log(1), 0)
  for (let part = -500; part <= 600; part += 1) near(1 + part / 512)
})

test('what is not above 0, not finite or subnormal is left to the engine', () => {
  for (const x of [0, -0, -1, 5e-324, 2e-308, Infinity, -Infinity, Number.NaN]) {
    assert.equal(log(x), Math.log(x), `${x}`)
  }
})

test('many at once are each by itself, in their place, and no more of them than told', () => {
  const values = Float64Array.of(1, 0.02, 37.5, 1e300, 5e-324, 0, -1, Infinity, 7, 8)
  const given = values.slice()
  logAll(values, new Uint32Array(values.buffer), 9)
  assert.deepEqual([...values], [...given.subarray(0, 9)].map(log).concat(8))
})
