import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createColumns } from '../../../infra/worlds/grain-rows.ts'
import {
  playCounts,
  type CountChange,
  type CountWorld
} from '../../../infra/worlds/token-counts.ts'
import type { Draft } from '../define.ts'
import signal from './signal.ts'

const START_MS = Date.parse('2026-03-02T00:00:00Z')
const MINUTE_MS = 60_000
const MINUTES_PER_DAY = 1440

/** By day other texts than by night: their mix moves by most of the spread of single calls. */
const WAVE: CountWorld = {
  name: 'm',
  callsPerMinute: 3.2,
  ratio: 1.097,
  spread: 0.024,
  within: 0.01,
  wave: 0.018
}

/** Findings of a change, by the minute in which they were told. */
const changes = (
  seed: number,
  days: number,
  change: CountChange | null = null
): { minute: number; draft: Draft }[] => {
  const columns = createColumns(signal.inputs.traces!)
  const fold = signal.open()
  const told: { minute: number; draft: Draft }[] = []
  playCounts({ world: WAVE, days, change, seed }, (minute, rows) => {
    const startMs = START_MS + minute * MINUTE_MS
    for (const draft of fold.fold({ startMs, grains: { traces: columns(rows) } }))
      if (draft.status === 'firing' && draft.after['kind'] === 'changed')
        told.push({ minute, draft })
  })
  return told
}

test('a mix of texts that follows the clock is no change', () => {
  for (let seed = 1; seed <= 6; seed++) assert.deepEqual(changes(seed, 20), [], `seed ${seed}`)
})

test('a tokenizer that changes under such a mix is told of within hours, and once', () => {
  for (let seed = 1; seed <= 6; seed++) {
    const at = 6 * MINUTES_PER_DAY + seed * 211
    const [first, ...more] = changes(seed, 12, { minute: at, factor: 1.11 })
    assert.ok(first !== undefined && first.minute >= at, `seed ${seed}`)
    assert.ok(first.minute < at + 180, `seed ${seed} after ${first.minute - at} minutes`)
    const others = more.filter(({ draft }) => draft.after['from'] !== first.draft.after['from'])
    assert.deepEqual(others, [], `seed ${seed}`)
  }
})
