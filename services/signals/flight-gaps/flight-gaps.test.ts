import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drawFlightWorlds, playFlights } from '../../../infra/worlds/flights.ts'
import { createColumns } from '../../../infra/worlds/grain-rows.ts'
import type { Draft } from '../define.ts'
import signal from './signal.ts'

const START_MS = Date.parse('2026-03-02T00:00:00Z')
const CHANGE_MINUTE = 600

const [drawn] = drawFlightWorlds(1, 3)
const world = { ...drawn!, flightsPerMinute: 1 }

/** Findings of a day in which results are cut, saved and restored before every `each` minutes. */
const play = (each: number): Draft[] => {
  let fold = signal.open()
  const columns = createColumns(signal.inputs.traces!)
  const drafts: Draft[] = []
  const change = { fact: 'result', minute: CHANGE_MINUTE, share: 0.8 } as const
  playFlights({ world, days: 1, change, seed: 8 }, (minute, rows) => {
    if (minute % each === 0) fold = signal.open({}, fold.save())
    const traces = columns(rows)
    drafts.push(...fold.fold({ startMs: START_MS + minute * 60_000, grains: { traces } }))
  })
  return drafts
}

test('results that are cut are told of within the hour, and a restart neither repeats nor loses it', () => {
  const through = play(Infinity)
  assert.equal(through[0]?.scope['fact'], 'result')
  const minutes = (Date.parse(through[0].detected_at) - START_MS) / 60_000 - CHANGE_MINUTE
  assert.ok(minutes > 0 && minutes <= 60, `after ${minutes} min`)
  assert.deepEqual(play(7), through)
})
