import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Head, Range } from '../../services/lake/commit.ts'
import { EMPTY_FOLD } from '../../services/lake/head.ts'
import { LOG_AGE_MS_MAX, trimBeforeMs } from './trim-log.ts'

const NOW_MS = Date.parse('2026-11-24T00:00:00Z')
const OLD_MS = NOW_MS - LOG_AGE_MS_MAX

const headAt = (next: number, appendedUntilMs: number | null, incarnation = 'one'): Head => {
  const range: Range = {
    topic: 'usage',
    partition: 0,
    incarnation,
    first: 0,
    next,
    anchor: null,
    appendedUntilMs,
    watermarkMs: null
  }
  return { ...EMPTY_FOLD.head, positions: new Map([['usage/0', range]]) }
}

const logTo = (end: number) => [{ topic: 'usage', partition: 0, incarnation: 'one', start: 0, end }]

describe('what may leave the log', () => {
  test('is older than a week where everything is landed', () => {
    assert.equal(trimBeforeMs(headAt(10, NOW_MS - 1), logTo(10), NOW_MS), OLD_MS)
  })

  test('ends before the last landed record where some wait, however old they are', () => {
    const landedMs = OLD_MS - 5_000
    assert.equal(trimBeforeMs(headAt(9, landedMs), logTo(10), NOW_MS), landedMs)
    assert.equal(trimBeforeMs(headAt(9, OLD_MS + 5_000), logTo(10), NOW_MS), OLD_MS)
  })

  test('is nothing where nothing is landed, or only of another topic of that name', () => {
    assert.equal(trimBeforeMs(EMPTY_FOLD.head, logTo(10), NOW_MS), -Infinity)
    assert.equal(trimBeforeMs(headAt(10, NOW_MS, 'gone'), logTo(10), NOW_MS), -Infinity)
  })

  test('does not depend on partitions that hold nothing', () => {
    assert.equal(trimBeforeMs(EMPTY_FOLD.head, logTo(0), NOW_MS), OLD_MS)
  })
})
