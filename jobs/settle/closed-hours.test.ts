import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Head, Range } from '../../services/lake/commit.ts'
import { openFrom } from './closed-hours.ts'

const T0 = Date.parse('2026-03-01T00:00:00Z')
const MINUTE_MS = 60_000
const NOW_MS = T0 + 600 * MINUTE_MS

const headOf = (positions: Partial<Range>[]): Head =>
  ({ positions: new Map(positions.map((one, partition) => [`usage/${partition}`, one])) }) as never

const partitionsOf = (ends: number[]) =>
  ends.map((end, partition) => ({ topic: 'usage', partition, incarnation: 'one', start: 0, end }))

/** Minutes after T0 from which hours are open. */
const openMinute = (positions: Partial<Range>[], ends: number[]): number | null => {
  const openMs = openFrom(headOf(positions), partitionsOf(ends), NOW_MS)
  return openMs === null ? null : (openMs - T0) / MINUTE_MS
}

describe('an hour is closed', () => {
  test('once the slowest partition is an hour and ten minutes past its end', () => {
    const at = (minute: number) => ({ next: 5, appendedUntilMs: T0 + minute * MINUTE_MS })
    assert.equal(openMinute([at(129), at(500)], [9, 9]), 0)
    assert.equal(openMinute([at(130), at(500)], [9, 9]), 60)
  })

  test('by the clock where everything is read, whatever was appended last', () => {
    assert.equal(openMinute([{ next: 9, appendedUntilMs: T0 }], [9]), 480)
  })

  test('by the clock where the log never held a record', () => {
    assert.equal(openMinute([], [0]), 480)
  })

  test('never while a partition with records was not read at all', () => {
    assert.equal(openMinute([{ next: 9, appendedUntilMs: NOW_MS }], [9, 1]), null)
    assert.equal(openMinute([{ next: 0, appendedUntilMs: null }], [1]), null)
  })

  test('never without partitions', () => {
    assert.equal(openMinute([], []), null)
  })
})
