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

test('loss is what is usually served after such a time, less what was served', () => {
  const ledger = createLedger()
  const habit = { alive: 100, usual: stepCurve(100).map((share) => 0.8 * share), tailShare: 0.5 }
  const own = { cells: new Float32Array(GAP_BINS), at: 0, times: 1 }
  const known = { ledger, gaps: createGaps(), gapMinutes: createGapMinutes(), own }
  const read = (second: number, cached: number) => {
    const ladder = ['a', 'b'].join(SEPARATOR)
    const prompt = { ladder, blockTokens: 1000, input: 3000, cached, second }
    return { ...readPrompt(known, prompt, habit) }
  }
  assert.deepEqual(
    [read(0, 0)].map(({ novel, usual, remiss }) => [novel, usual, remiss]),
    [[3000, 0, 0]]
  )
  // Two rungs of 1000 tokens come back, and half of the 1000 past them: 0.8 of that is usual.
  const lost = read(50, 0)
  assert.deepEqual([lost.usual, lost.remiss, lost.novel], [2000, 2000, 500])
  const served = read(100, 2500)
  assert.deepEqual([served.usual, served.remiss, served.novel], [2000, -500, 500])
  assert.deepEqual([served.tail, served.tailServed], [1000, 500])
  // After longer than the cache keeps anything nothing is usual, and nothing lost.
  const late = read(500, 0)
  assert.deepEqual([late.usual, late.remiss, late.novel], [0, 0, 500])
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
