import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { overlapConcurrency } from './overlap.ts'

type Call = { replica: number; startMs: number; endMs: number }

const overlapOf = (calls: readonly Call[]): number[] => [
  ...overlapConcurrency({
    replica: Float64Array.from(calls, ({ replica }) => replica),
    startMs: Float64Array.from(calls, ({ startMs }) => startMs),
    endMs: Float64Array.from(calls, ({ endMs }) => endMs)
  })
]

const call = (replica: number, startMs: number, endMs: number): Call => ({
  replica,
  startMs,
  endMs
})

test('concurrency by overlap is the mean number of calls running beside each', () => {
  const calls = [call(0, 0, 10), call(0, 5, 15), call(0, 10, 20), call(1, 0, 10), call(0, 7, 7)]
  assert.deepEqual(overlapOf(calls), [1.5, 2, 1.5, 1, 1])
})

test('a call of which host or times are not known has no overlap and counts for no other', () => {
  const calls = [call(0, 0, 10), call(NaN, 0, 10), call(0, NaN, 10), call(0, 0, NaN)]
  assert.deepEqual(overlapOf(calls), [1, NaN, NaN, NaN])
})

test('the sweep agrees with each pair looked at by itself, in any order of calls', () => {
  // Moments as of today: sums of them must not lose the milliseconds.
  const origin = Date.parse('2026-03-01T10:00:00Z')
  const Calls = fc.array(
    fc.record({ replica: fc.nat(1), start: fc.nat(500), length: fc.nat(90) }),
    { maxLength: 30 }
  )
  fc.assert(
    fc.property(Calls, (drawn) => {
      const calls = drawn.map(({ replica, start, length }) =>
        call(replica, origin + start, origin + start + length)
      )
      const means = overlapOf(calls)
      assert.deepEqual(overlapOf(calls.toReversed()).toReversed(), means)
      calls.forEach((one, row) => {
        if (one.endMs === one.startMs) return
        const shared = calls
          .filter(({ replica }) => replica === one.replica)
          .map(({ startMs, endMs }) =>
            Math.max(0, Math.min(endMs, one.endMs) - Math.max(startMs, one.startMs))
          )
        const mean = shared.reduce((sum, ms) => sum + ms, 0) / (one.endMs - one.startMs)
        assert.ok(Math.abs(means[row]! - mean) < 1e-9, `${means[row]} for ${mean}`)
      })
    }),
    { numRuns: 100, seed: 2 }
  )
})
