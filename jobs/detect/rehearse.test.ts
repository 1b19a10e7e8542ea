import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Head, LiveFile } from '../../services/lake/commit.ts'
import { nothingAhead, type FoldMemory, type LakeRange } from './fold-memory.ts'
import { rowsOf } from './lake-stretch.ts'
import { openRehearsal } from './rehearse.ts'
import { LATENESS_MS, MINUTE_MS } from './watermark.ts'

const T0 = Date.parse('2026-03-01T00:00:00Z')

/** A lake with flushes of so many events each, one a second from T0 on. */
const headOf = (flushes: readonly number[]): Head => {
  const file = (rows: number, second: number): Partial<LiveFile> => {
    const timeUs = (T0 + second * 1000) * 1000
    return { rows, timeUsMin: timeUs, timeUsMax: timeUs }
  }
  const files = flushes.map((rows, second) => [String(second), file(rows, second)] as const)
  return { files: new Map([['events_raw', new Map(files)]]), state: new Map() } as never
}

const memoryOf = (taken: LakeRange[]): FoldMemory => ({
  open: {
    fold: () => assert.fail('a rehearsal folds nothing for good'),
    saveSignal: () => null,
    rehearse: async (range) => void taken.push(range)
  },
  ids: [],
  untilMs: null,
  steps: [],
  snapshots: new Map(),
  ahead: nothingAhead()
})

/** Looks again and again while the log is read until `seconds` after T0. */
const looks = async (flushes: readonly number[], { seconds = 30, folded = false } = {}) => {
  const taken: LakeRange[] = []
  const memory = memoryOf(taken)
  if (folded) memory.ahead.steps.push({ fromMs: T0, untilMs: T0 + 1000, version: 0 })
  const rehearsal = openRehearsal()
  const reachedMs = T0 + seconds * 1000 - LATENESS_MS
  for (let look = 0; look < 5; look++) {
    if (!rehearsal.isOver())
      await rehearsal.take(memory, { head: headOf(flushes), reachedMs, minuteMs: T0 })
  }
  return taken
}

test('a few rows are rehearsed once, many several times, and none not at all', async () => {
  assert.equal((await looks([])).length, 0)
  assert.equal((await looks([20])).length, 1)
  assert.equal((await looks([20_000, 20_000])).length, 3)
})

test('a rehearsal takes as much as takes no long time, of the open minute and the next', async () => {
  const flushes = Array.from({ length: 80 }, () => 20_000)
  for (const { head, fromMs, untilMs } of await looks(flushes, { seconds: 80 })) {
    assert.deepEqual([fromMs, untilMs], [T0, T0 + 2 * MINUTE_MS])
    assert.equal(rowsOf(head), 40_000)
  }
})

test('nothing is rehearsed where a part of the minute is folded', async () => {
  assert.deepEqual(await looks([20_000], { folded: true }), [])
})
