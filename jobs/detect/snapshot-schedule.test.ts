import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dueSignals, SNAPSHOT_POLICY, type Moment } from './snapshot-schedule.ts'
import type { Snapshot } from './snapshots.ts'
import { MINUTE_MS } from './watermark.ts'

const LARGE = 2 * SNAPSHOT_POLICY.smallBytesMax
const snapshot = (id: string, untilMs: number, bytes: number): Snapshot => ({
  paths: [`${id}-${untilMs}`],
  untilMs,
  bytes
})

type Written = { moment: Moment; id: string }

/** States that began together, over an hour of steps with so many looks at each moment. */
const play = (count: number, moments: readonly Moment[], firstMs = MINUTE_MS) => {
  const ids = Array.from({ length: count }, (_, index) => `signal-${index}`)
  const snapshots = new Map(ids.map((id) => [id, snapshot(id, 0, LARGE)]))
  const writes: Written[][] = []
  let oldestMs = 0
  for (let untilMs = firstMs; untilMs < firstMs + 60 * MINUTE_MS; untilMs += MINUTE_MS) {
    const written: Written[] = []
    for (const moment of moments) {
      const due = dueSignals(ids, snapshots, {
        sinceMs: 0,
        untilMs,
        moment,
        policy: SNAPSHOT_POLICY
      })
      for (const id of due) snapshots.set(id, snapshot(id, untilMs, LARGE))
      written.push(...due.map((id) => ({ moment, id })))
    }
    writes.push(written)
    oldestMs = Math.max(oldestMs, ...[...snapshots.values()].map((one) => untilMs - one.untilMs))
  }
  return { writes, oldestMs }
}

const IDLE: Moment[] = ['close', 'idle', 'idle', 'idle']

test('of large states one is written between two minutes, and each in time', () => {
  for (const count of [1, 3, 10]) {
    const { writes, oldestMs } = play(count, IDLE)
    assert.ok(
      writes.every((ids) => ids.length <= 1),
      `${count} states`
    )
    assert.ok(oldestMs < SNAPSHOT_POLICY.largeAgeMs, `${count} states: ${oldestMs} ms`)
  }
})

test('they are not written more often than they are due', () => {
  const { writes } = play(3, IDLE)
  // Three states, every ten minutes or a little earlier.
  assert.ok(writes.flat().length <= 3 * 7, `${writes.flat().length} writes in an hour`)
})

test('of several that came due at once one is written between two minutes, and folding goes on', () => {
  const { writes } = play(3, IDLE, 12 * MINUTE_MS)
  assert.deepEqual(
    writes.slice(0, 3).map((written) => written.length),
    [1, 1, 1]
  )
})

test('after a backlog what is overdue is written before the next minute, and no close waits for it', () => {
  const [first, ...later] = play(4, IDLE, 24 * 60 * MINUTE_MS).writes
  assert.equal(new Set(first!.map(({ id }) => id)).size, 4)
  assert.ok(later.flat().every(({ moment }) => moment === 'idle'))
})

test('who closes minutes without a pause writes them later, one a step', () => {
  const { writes, oldestMs } = play(3, ['close'])
  assert.ok(writes.every((ids) => ids.length <= 1))
  assert.equal(writes.findIndex((ids) => ids.length > 0) + 1, 15)
  assert.ok(oldestMs < 18 * MINUTE_MS)
})

test('who leaves writes all that was folded since', () => {
  const ids = ['a', 'b']
  const snapshots = new Map([
    ['a', snapshot('a', 0, LARGE)],
    ['b', snapshot('b', MINUTE_MS, LARGE)]
  ])
  const leave = {
    sinceMs: 0,
    untilMs: MINUTE_MS,
    moment: 'leave',
    policy: SNAPSHOT_POLICY
  } as const
  assert.deepEqual(dueSignals(ids, snapshots, leave), ['a'])
})
