import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createGapMinutes } from './gap-minutes.ts'
import { createLedger } from './ledger.ts'
import { readPrompt, SEPARATOR } from './novelty.ts'
import {
  createGaps,
  evictionAge,
  gapBin,
  GAP_BINS,
  servedCurve,
  servedLess,
  stepCurve
} from './served-curve.ts'

test('the served share never rises with the time since the last use, and keeps all tokens', () => {
  const gaps = createGaps()
  const seen: [seconds: number, hits: number, misses: number][] = [
    [5, 90, 10],
    [20, 100, 0],
    [80, 60, 40],
    [200, 0, 100]
  ]
  for (const [seconds, hits, misses] of seen) {
    gaps.hits[gapBin(seconds)] = hits
    gaps.misses[gapBin(seconds)] = misses
  }
  const curve = servedCurve(gaps)
  assert.equal(curve.length, GAP_BINS)
  assert.ok(curve.every((share, bin) => bin === 0 || share <= curve[bin - 1]!))
  // The first two violate the order, and are one; what was never seen goes with what is younger.
  assert.deepEqual([curve[gapBin(5)], curve[gapBin(20)], curve[gapBin(40)]], [0.95, 0.95, 0.95])
  assert.deepEqual([curve[gapBin(80)], curve[gapBin(200)], curve.at(-1)], [0.6, 0, 0])
  const served = seen.reduce((sum, [seconds, h, m]) => sum + (h + m) * curve[gapBin(seconds)]!, 0)
  assert.equal(Math.round(served), 250)
  assert.ok(evictionAge(gaps) >= 80 && evictionAge(gaps) < 200)
})

const HABIT = { alive: 100, usual: stepCurve(100).map((share) => 0.8 * share), repeatShare: 0.5 }

/** Reads prompts of 1,000-token rungs, one after the other. */
const reader = (repeatShare = HABIT.repeatShare) => {
  const known = { ledger: createLedger(), gaps: createGaps(), gapMinutes: createGapMinutes() }
  return (second: number, rungs: readonly string[], [input, cached]: [number, number]) => {
    const prompt = { ladder: rungs.join(SEPARATOR), blockTokens: 1000, input, cached, second }
    return { ...readPrompt(known, prompt, { ...HABIT, repeatShare }) }
  }
}

test('loss is what is usually served after such a time, less what was served', () => {
  const read = reader()
  const first = read(0, ['a', 'b'], [3000, 0])
  assert.deepEqual([first.novel, first.usual, first.remiss], [3000, 0, 0])
  // Two rungs of 1000 tokens come back, and half of the 1000 past them: 0.8 of that is usual.
  const lost = read(50, ['a', 'b'], [3000, 0])
  assert.deepEqual([lost.usual, lost.remiss, lost.novel], [2000, 2000, 500])
  const served = read(100, ['a', 'b'], [3000, 2500])
  assert.deepEqual([served.usual, served.remiss, served.novel], [2000, -500, 500])
  assert.deepEqual([served.known, served.knownServed], [1000, 500])
  // After longer than the cache keeps anything nothing is usual, and nothing lost.
  const late = read(500, ['a', 'b'], [3000, 0])
  assert.deepEqual([late.usual, late.remiss, late.novel], [0, 0, 500])
})

test('a turn of a conversation repeats the last one to its end, between two rungs, too', () => {
  const read = reader(1)
  read(0, ['a', 'b'], [3400, 0])
  // 3,400 of its 5,000 tokens were sent before, though the rung at 4,000 is new.
  const lost = read(50, ['a', 'b', 'c'], [5000, 0])
  assert.deepEqual([lost.usual, lost.remiss, lost.novel], [0.8 * 3400, 0.8 * 3400, 1600])
  const served = read(90, ['a', 'b', 'c'], [6000, 5000])
  assert.deepEqual([served.novel, served.known, served.knownServed], [1000, 1000, 1000])
})

test('a prompt of which the cache serves a part is not new from its start on', () => {
  const read = reader()
  assert.equal(read(0, ['a', 'b'], [2000, 0]).headNovel, 2000)
  // A first rung that was never seen, of which the first 512 tokens were.
  assert.equal(read(10, ['c', 'd'], [2000, 512]).headNovel, 0)
})

test('more in a full cache takes what is used again just before its end; in a roomy one, nothing', () => {
  const gaps = createGaps()
  for (const seconds of [10, 20, 40, 80]) gaps.hits[gapBin(seconds)] = 100
  assert.equal(servedLess(gaps, 1), 0, 'nothing that comes back is missed')
  gaps.misses[gapBin(120)] = 100
  assert.equal(servedLess(gaps, 0.05), 0)
  // Twice as much: it keeps things for half as long, and what comes back after 80 s is gone.
  assert.equal(servedLess(gaps, 1), 0.25)
})
