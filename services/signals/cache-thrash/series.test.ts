import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Columns } from '../define.ts'
import { createSeries, gatherMinute, judgeMinute, seriesKey } from './series.ts'
import { SETTINGS, tenantSettings } from './settings.ts'

const START_MS = Date.parse('2026-03-02T09:00:00Z')
const MEASURES = ['n', 'w', 'h', 'ww', 'x_ppm', 'null_n', 'writes', 'cost_pico'] as const

/** Rows of one minute: tenant, model and calls of 1,000 tokens each. */
const minuteOf = (rows: readonly [string, string, number][]): Columns => ({
  rows: rows.length,
  series: Int32Array.from(rows, (_, row) => row),
  keys: rows.map(([tenant, model]) => [tenant, 'anthropic', model, 'chat', null]),
  measures: Object.fromEntries(
    MEASURES.map((name) => [
      name,
      Float64Array.from(rows, ([, , n]) => (name === 'n' ? n : name === 'w' ? 1000 * n : 0))
    ])
  ),
  texts: {}
})

test('a second leaf in the same minute takes no rows away, whoever they belong to', () => {
  const state = createSeries()
  const rows: [string, string, number][] = [
    ['other', 'opus', 5],
    ['two', 'opus', 7],
    ['two', 'haiku', 3]
  ]
  gatherMinute(state, minuteOf(rows), START_MS)
  const sums = new Map([...state.slots].map(([key, slot]) => [key, state.scratch.sums[slot * 8]]))
  const tenant = (name: string) =>
    seriesKey({
      level: 'tenant',
      tenant: name,
      provider: null,
      model: null,
      route: null,
      pool: null
    })
  assert.equal(sums.get(tenant('two')), 10)
  assert.equal(sums.get(tenant('other')), 5)
  assert.deepEqual(
    [...sums.values()].map(Number).sort((a, b) => a - b),
    [3, 3, 5, 7, 10, 12]
  )
  judgeMinute(state, START_MS, () => tenantSettings(SETTINGS, 1))
})
