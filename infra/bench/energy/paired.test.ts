import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRandom } from '../../worlds/random.ts'
import { addedShare, runPairs, type Spent } from './paired.ts'

/** Pairs of which one side takes `share` more, with noise of some percent and now and then a third. */
const noisyPairs = (seed: number, share: number): Spent[] => {
  const random = createRandom(seed)
  const noise = (): number =>
    Math.exp(0.03 * random.normal()) * (random.integer(0, 20) === 0 ? 1.3 : 1)

  return Array.from({ length: 60 }, () => ({ bare: noise(), whole: noise() * (1 + share) }))
}

test('the share comes out of noise, and its interval holds it about 19 times in 20', () => {
  let held = 0
  const runs = 200
  for (let seed = 1; seed <= runs; seed += 1) {
    const { share, low, high } = addedShare(noisyPairs(seed, 0.03))
    assert.ok(low < share && share < high)
    assert.ok(Math.abs(share - 0.03) < 0.04, `${share} at seed ${seed}`)
    if (low <= 0.03 && 0.03 <= high) held += 1
  }
  assert.ok(held / runs > 0.9 && held / runs < 0.99, `${held} of ${runs}`)
})

test('sides that are swapped give the inverse', () => {
  const pairs = noisyPairs(5, 0.08)
  const swapped = pairs.map(({ bare, whole }) => ({ bare: whole, whole: bare }))
  const there = addedShare(pairs)
  const back = addedShare(swapped)
  assert.ok(Math.abs((1 + there.share) * (1 + back.share) - 1) < 1e-12)
  assert.ok(Math.abs((1 + there.low) * (1 + back.high) - 1) < 1e-12)
})

test('each side goes first as often, and what is warm does not count', async () => {
  const order: boolean[] = []
  const pairs = await runPairs(
    (withEnergy) => {
      order.push(withEnergy)
      return Promise.resolve(order.length)
    },
    4,
    () => undefined
  )
  assert.equal(pairs.length, 4)
  const firsts = order.filter((_, at) => at % 2 === 0).slice(-4)
  assert.deepEqual(firsts, [true, false, true, false])
  assert.equal(order.filter(Boolean).length * 2, order.length)
})
