import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  drawFailureTenants,
  playFailures,
  type FailureChange
} from '../../../infra/worlds/failures.ts'
import { createColumns, type GrainRow } from '../../../infra/worlds/grain-rows.ts'
import type { Draft, Minute } from '../define.ts'
import { recordBytes } from '../statistics/records.ts'
import { SHAPE } from './component.ts'
import signal from './signal.ts'

const START_MS = Date.parse('2026-03-02T00:00:00Z')
const MINUTE_MS = 60_000
const CHANGE_MINUTE = 600

const minutesOf = (change: FailureChange | null): Minute[] => {
  const columns = createColumns(signal.inputs.window!)
  const [drawn] = drawFailureTenants(1, 2)
  const tenant = { ...drawn!, requestsPerMinute: 3 }
  const minutes: Minute[] = []
  playFailures({ tenant, days: 0.6, change, seed: 3 }, (minute, rows) => {
    minutes.push({ startMs: START_MS + minute * MINUTE_MS, grains: { window: columns(rows) } })
  })
  return minutes
}

const foldAll = (minutes: readonly Minute[]): Draft[] => {
  const fold = signal.open()
  return minutes.flatMap((minute) => fold.fold(minute))
}

for (const [kind, axis] of [
  ['retrieval', 'retrieval'],
  ['tool', 'tool'],
  ['llm', 'model']
] as const) {
  test(`a page for the feature's errors gets its axis: ${kind}; what is as usual is said too`, () => {
    const [found, ...rest] = foldAll(minutesOf({ minute: CHANGE_MINUTE, kind, share: 0.5 }))
    assert.equal(found?.axis, axis)
    assert.equal(found!.scope['kind'], kind)
    assert.ok(found!.contributors.some(({ state }) => state === 'as usual'))
    assert.deepEqual(rest, [], 'the agent that fails with its part is not told again')
  })
}

test('a provider that throttles is the axis, not the model', () => {
  const throttled = minutesOf({ minute: CHANGE_MINUTE, kind: 'llm', share: 0.5 })
  for (const { grains } of throttled) {
    const { failed, throttled: limited } = grains.window!.measures
    limited!.set(failed!)
  }
  assert.equal(foldAll(throttled)[0]?.axis, 'provider')
})

const alert = (row: GrainRow): Minute['grains'] => ({
  traces: createColumns(signal.inputs.traces!)([row])
})

test('a forwarded alert of an unknown tenant is compared with all, and says so where nothing fails', () => {
  const fold = signal.open()
  for (const minute of minutesOf(null).slice(0, 100)) fold.fold(minute)
  const startMs = START_MS + 100 * MINUTE_MS
  const row = { tenant: 'unknown', id: 'a', alert: 'a', name: 'Errors', time_ms: startMs }
  const [told] = fold.fold({ startMs, grains: alert({ ...row, status: 'firing' }) })
  assert.equal(told?.axis, null)
  assert.match(told!.summary, /nothing that we see fails/)
  assert.ok(told!.contributors.length > 0)
  assert.deepEqual(fold.fold({ startMs, grains: alert({ ...row, status: 'firing' }) }), [])
  const [over] = fold.fold({ startMs, grains: alert({ ...row, status: 'resolved' }) })
  assert.equal(over?.status, 'resolved')
  assert.equal(over!.fingerprint, told!.fingerprint)
})

test('a restart neither repeats nor loses a failing part', () => {
  const minutes = minutesOf({ minute: CHANGE_MINUTE, kind: 'tool', share: 0.3 })
  const through = signal.open()
  const all = minutes.flatMap((minute) => through.fold(minute))
  assert.ok(all.length > 0)
  for (const cut of [CHANGE_MINUTE - 100, CHANGE_MINUTE + 3, CHANGE_MINUTE + 60]) {
    const first = signal.open()
    const before = minutes.slice(0, cut).flatMap((minute) => first.fold(minute))
    const second = signal.open({}, first.save())
    const after = minutes.slice(cut).flatMap((minute) => second.fold(minute))
    assert.deepEqual([...before, ...after], all)
    assert.deepEqual(second.save(), through.save())
  }
})

test('a part is remembered in two kilobytes', () => {
  assert.ok(recordBytes(SHAPE) <= 2048, `${recordBytes(SHAPE)} bytes`)
})
