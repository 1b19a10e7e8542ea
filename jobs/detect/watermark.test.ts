import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Head, Range } from '../../services/lake/commit.ts'
import { closedUntil, LATENESS_MS, MINUTE_MS } from './watermark.ts'

const T0 = Date.parse('2026-03-01T00:00:00Z')
const SECOND_MS = 1000

const headOf = (positions: Partial<Range>[]): Head =>
  ({ positions: new Map(positions.map((one, partition) => [`usage/${partition}`, one])) }) as never

/** Minutes after T0 until which detection is closed; each partition holds ten records. */
const closedMinute = (positions: Partial<Range>[], nowSeconds: number): number | null => {
  const partitions = positions.map((_, partition) => {
    return { topic: 'usage', partition, incarnation: 'one', start: 0, end: 10 }
  })
  const untilMs = closedUntil(headOf(positions), partitions, T0 + nowSeconds * SECOND_MS)
  return untilMs === null ? null : (untilMs - T0) / MINUTE_MS
}

const at = (next: number, seconds: number) => ({ next, watermarkMs: T0 + seconds * SECOND_MS })

describe('a minute is closed for detection', () => {
  test('once the slowest partition with unread records is past its end and the lateness', () => {
    const lateSeconds = LATENESS_MS / SECOND_MS
    assert.equal(closedMinute([at(5, 120 + lateSeconds - 1), at(5, 900)], 1_000), 1)
    assert.equal(closedMinute([at(5, 120 + lateSeconds), at(5, 900)], 1_000), 2)
  })

  test('whatever a partition that is read to its end saw last', () => {
    assert.equal(closedMinute([at(10, 60), at(5, 900)], 1_000), 14)
  })

  test('by the clock when all is read, and no later than the last minute with events', () => {
    assert.equal(closedMinute([at(10, 200)], 210), 3)
    assert.equal(closedMinute([at(10, 200)], 269), 3)
    assert.equal(closedMinute([at(10, 200)], 270), 4)
    assert.equal(closedMinute([at(10, 200)], 100_000), 4)
  })

  test('never while records of a partition were not read at all, or before any event', () => {
    assert.equal(closedMinute([at(10, 200), { next: 0, watermarkMs: null }], 1_000), null)
    assert.equal(closedMinute([{ next: 10, watermarkMs: null }], 1_000), null)
  })
})
