import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drawEnergyTenants, playEnergy } from '../../../infra/worlds/energy.ts'
import { createColumns } from '../../../infra/worlds/grain-rows.ts'
import type { Draft } from '../define.ts'
import { recordBytes } from '../statistics/records.ts'
import { foldMinute } from './fold.ts'
import { P, PROFILE_SHAPE } from './profile.ts'
import { SETTINGS } from './settings.ts'
import signal from './signal.ts'
import { createState } from './state.ts'

const START_MS = Date.parse('2026-03-02T00:00:00Z')
const CHANGE_MINUTE = 600

const [drawn] = drawEnergyTenants(1, 3)
const tenant = { ...drawn!, callsPerMinute: 6, largeShare: 0.05, mixNoise: 0.1 }

/** Findings of a day in which batches collapse, saved and restored before every `each` minutes. */
const play = (each: number): Draft[] => {
  let fold = signal.open()
  const columns = createColumns(signal.inputs.traces!)
  const drafts: Draft[] = []
  const change = { kind: 'batch', minute: CHANGE_MINUTE } as const
  playEnergy({ tenant, days: 1, change, seed: 8 }, (minute, rows) => {
    if (minute % each === 0) fold = signal.open({}, fold.save())
    const traces = columns(rows)
    drafts.push(...fold.fold({ startMs: START_MS + minute * 60_000, grains: { traces } }))
  })
  return drafts
}

test('a collapse of batches is told apart, and a restart neither repeats nor loses it', () => {
  const through = play(Infinity)
  assert.equal(through[0]?.after['cause'], 'batch-collapse')
  assert.ok(Date.parse(through[0].detected_at) > START_MS + CHANGE_MINUTE * 60_000)
  assert.deepEqual(play(7), through)
})

test('a minute of more deployments than are kept leaves each with its own sums', () => {
  const state = createState(SETTINGS)
  const columns = createColumns(signal.inputs.traces!)
  const rows = Array.from({ length: 14 }, (_, index) => ({
    tenant: 'acme',
    model: `model-${index}`,
    gpu: null,
    precision: null,
    n_gpus: null,
    n: index + 1,
    out: 100,
    uncached: 100,
    cached: 0,
    squares: 40_000
  }))
  foldMinute(state, { startMs: START_MS, grains: { traces: columns(rows) } })
  assert.equal(state.deployments.length, 12)
  for (const [slot, { model }] of state.deployments.entries()) {
    const calls = state.profiles.doubles[slot * PROFILE_SHAPE.doubles + P.total]
    assert.equal(`model-${calls! - 1}`, model)
  }
})

test('a deployment of a tenant takes at most 2 KB', () => {
  assert.ok(recordBytes(PROFILE_SHAPE) <= 2048, `${recordBytes(PROFILE_SHAPE)} bytes`)
})
