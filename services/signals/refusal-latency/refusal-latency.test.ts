import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createColumns } from '../../../infra/worlds/grain-rows.ts'
import {
  drawGuardedTenants,
  playRefusals,
  type GuardedChange
} from '../../../infra/worlds/refusals.ts'
import type { Draft, Minute } from '../define.ts'
import { burnRates, addBurn } from './burn.ts'
import { SHAPE } from './series.ts'
import signal from './signal.ts'

const START_MS = Date.parse('2026-03-02T00:00:00Z')
const MINUTE_MS = 60_000
const CHANGE_MINUTE = 400

const minutesOf = (change: GuardedChange | null, days: number): Minute[] => {
  const columns = createColumns(signal.inputs.traces!)
  const [drawn] = drawGuardedTenants(1, 5)
  const tenant = { ...drawn!, requestsPerMinute: 2, refusedShare: 0.2 }
  const minutes: Minute[] = []
  playRefusals({ tenant, startMs: START_MS, days, change, seed: 9 }, (startMs, rows) => {
    minutes.push({ startMs, grains: rows.length === 0 ? {} : { traces: columns(rows) } })
  })
  return minutes
}

const foldAll = (minutes: readonly Minute[]): Draft[] => {
  const fold = signal.open()
  return minutes.flatMap((minute) => fold.fold(minute))
}

test('a guardrail that got slow is named on the path that it slows, and stays open', () => {
  const change = { minute: CHANGE_MINUTE, stage: 'input-guard', factor: 15 } as const
  const drafts = foldAll(minutesOf(change, 0.5)).filter(({ scope }) => scope['path'] === 'refusal')
  const [first] = drafts
  const delay = (Date.parse(first!.detected_at) - START_MS) / MINUTE_MS - CHANGE_MINUTE
  assert.ok(delay > 0 && delay < 120, `after ${delay} min`)
  assert.equal(first!.contributors[0]?.['what'], 'input-guard')
  assert.equal(
    drafts.some(({ status }) => status === 'resolved'),
    false
  )
})

test('refusals that always took longer than nearly all answers are told once', () => {
  const minutes = minutesOf(null, 0.4)
  for (const { grains } of minutes) {
    const { traces } = grains
    if (traces === undefined) continue
    for (let row = 0; row < traces.rows; row++) {
      if (traces.measures['refused']![row] === 1) traces.measures['duration_ms']![row]! += 20_000
    }
  }
  const drafts = foldAll(minutes)
  assert.equal(drafts.length, 1)
  assert.match(drafts[0]!.summary, /^Refusing takes/)
  assert.ok(
    Number(drafts[0]!.after['critical_path_ms']) > 5 * Number(drafts[0]!.before['critical_path_ms'])
  )
})

test('a burst burns the short windows and not the long ones; a lasting fault burns both', () => {
  const d = new Float64Array(SHAPE.doubles)
  const minute = (at: number, slow: number) => addBurn(d, 0, { ms: at * MINUTE_MS, n: 10, slow })
  for (let at = 1; at <= 5000; at++) minute(at, 0)
  for (let at = 5001; at <= 5003; at++) minute(at, 10)
  assert.equal(burnRates(d, 0, 0.01)[0]!.burning, false)
  for (let at = 5004; at <= 5030; at++) minute(at, 10)
  assert.equal(burnRates(d, 0, 0.01)[0]!.burning, true)
  for (let at = 5031; at <= 5060; at++) minute(at, 0)
  assert.equal(burnRates(d, 0, 0.01)[0]!.burning, false)
})

test('a restart while traces are open and a budget burns changes nothing', () => {
  const change = { minute: CHANGE_MINUTE, stage: 'input-guard', factor: 15 } as const
  const minutes = minutesOf(change, 0.4)
  const through = signal.open()
  const all = minutes.flatMap((minute) => through.fold(minute))
  assert.ok(all.length > 0)
  for (const cut of [CHANGE_MINUTE - 200, CHANGE_MINUTE + 3, CHANGE_MINUTE + 100]) {
    const first = signal.open()
    const before = minutes.slice(0, cut).flatMap((minute) => first.fold(minute))
    const second = signal.open({}, first.save())
    const after = minutes.slice(cut).flatMap((minute) => second.fold(minute))
    assert.deepEqual([...before, ...after], all)
    assert.deepEqual(second.save(), through.save())
  }
})
