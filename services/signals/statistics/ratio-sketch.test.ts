import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRandom } from '../../../infra/worlds/random.ts'
import {
  addRatio,
  quantileInterval,
  ratioBin,
  RATIO_BINS,
  ratioOfBin,
  type Sketch
} from './ratio-sketch.ts'
import { mixNats, voteNats } from './sign-bets.ts'

const sketchOf = (ratios: readonly number[]): Sketch => {
  const sketch = { floats: new Float32Array(RATIO_BINS), at: 0 }
  for (const ratio of ratios) addRatio(sketch, ratioBin(ratio), 1)
  return sketch
}

test('a ratio survives its bin: to 0.1 % near 1, to 3 % at half and double', () => {
  for (let ratio = 0.99; ratio <= 1.01; ratio += 0.0007) {
    assert.ok(Math.abs(ratioOfBin(ratioBin(ratio)) / ratio - 1) < 0.001, String(ratio))
  }
  for (const ratio of [0.5, 0.7, 1.4, 2]) {
    assert.ok(Math.abs(ratioOfBin(ratioBin(ratio)) / ratio - 1) < 0.03, String(ratio))
  }
  assert.equal(ratioBin(1), 0)
})

test('the interval of a median covers the true one at least 95 times of 100, skewed or not', () => {
  const random = createRandom(5)
  let covered = 0
  for (let run = 0; run < 400; run++) {
    const ratios = Array.from({ length: 25 }, () => 1.1 * Math.exp(0.1 * random.exponential(1)))
    const { low, high } = quantileInterval(sketchOf(ratios), 0.5)
    const truth = 1.1 * Math.exp(0.1 * Math.LN2)
    if (truth >= low && truth <= high) covered += 1
  }
  assert.ok(covered >= 380, `${covered} of 400`)
})

test('bets on votes are won by chance no more often than they say', () => {
  const random = createRandom(6)
  let won = 0
  for (let run = 0; run < 2000; run++) {
    const nats = [0, 0, 0]
    let best = -Infinity
    for (let vote = 0; vote < 200; vote++) {
      const yes = random.uniform() < 0.5 ? 1 : 0
      for (const [index, share] of [0.65, 0.8, 0.95].entries()) {
        nats[index]! += voteNats({ yes, no: 1 - yes }, 0.5, share)
      }
      best = Math.max(best, mixNats(nats))
    }
    if (best >= Math.log(50)) won += 1
  }
  assert.ok(won > 0 && won / 2000 <= 1 / 50, `${won} of 2000`)
})
