import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Columns } from '../define.ts'
import { dayVariance } from '../statistics/day-error.ts'
import { judgeMinute } from './judge.ts'
import { createSeries, gatherMinute, seriesBeside, seriesKey } from './series.ts'
import { SETTINGS, tenantSettings } from './settings.ts'
import { createState, restoreState, saveState } from './state.ts'

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

test('a tenant shares its budget among all series that it has, from the minute on in which they come', () => {
  const state = createSeries()
  const sizes = (minute: number, ...models: string[]): number[] => {
    const rows = models.map((model): [string, string, number] => ['one', model, 5])
    gatherMinute(state, minuteOf(rows), START_MS + minute * 60_000)
    judgeMinute(state, START_MS + minute * 60_000, () => tenantSettings(SETTINGS, 1))
    return [...state.names.keys()]
      .filter((slot) => state.names[slot]!.level !== 'model')
      .map((slot) => seriesBeside(state, slot))
  }
  assert.deepEqual(sizes(0, 'opus'), [1])
  assert.deepEqual(sizes(1, 'opus', 'haiku'), [3, 3, 3])
  assert.deepEqual(sizes(2, 'opus', 'haiku', 'sonnet'), [4, 4, 4, 4])
  assert.deepEqual(sizes(3, 'opus', 'haiku', 'sonnet'), [4, 4, 4, 4])
})

test('how days stray is kept for each series, goes to the leaf that is split off, and is saved', () => {
  const state = createState(SETTINGS)
  const { series } = state
  const fold = (minute: number, rows: [string, string, number][]): void => {
    const columns = minuteOf(rows)
    const hits = Math.floor((minute + 540) / 1440) % 2 === 0 ? 780 : 730
    columns.measures['h']!.forEach((_, row, h) => (h[row] = hits * rows[row]![2]))
    columns.measures['x_ppm']!.forEach((_, row, x) => (x[row] = hits * 1000 * rows[row]![2]))
    gatherMinute(series, columns, START_MS + minute * 60_000)
    judgeMinute(series, START_MS + minute * 60_000, () => tenantSettings(SETTINGS, 1))
  }
  const days = 10
  for (let minute = 0; minute < days * 1440; minute++) fold(minute, [['one', 'opus', 9]])
  const [tenant] = series.names.keys()
  const sd = Math.sqrt(dayVariance(series.days, tenant!))
  assert.ok(sd > 0.02, `${sd}`)
  const both: [string, string, number][] = [
    ['one', 'opus', 9],
    ['one', 'haiku', 9]
  ]
  fold(days * 1440, both)
  const first = series.names.findIndex(({ level, model }) => level === 'leaf' && model === 'opus')
  assert.equal(dayVariance(series.days, first), dayVariance(series.days, tenant!))
  const back = restoreState(saveState(state), SETTINGS).series
  assert.equal(back.days.size, series.records.size)
  for (const slot of series.names.keys()) {
    assert.equal(dayVariance(back.days, slot), dayVariance(series.days, slot))
  }
})
