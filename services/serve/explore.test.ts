import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rollupFor } from './cube/rollups.ts'
import { groupsSql, seriesSql, type Cut } from './explore.ts'

const HOUR_S = 3600
const cutOf = (by: readonly string[]): Cut => ({
  range: { fromMs: 0, toMs: 30 * 86_400_000, grain: 'hour' },
  measures: ['calls', 'error_rate', 'cost_usd'],
  by,
  where: []
})

test('measures by few dimensions are read from the smallest tables that have them', () => {
  const cases: [string[], string][] = [
    [[], 'fleet'],
    [['name'], 'fleet'],
    [['model', 'route'], 'fleet'],
    [['tenant'], 'tenant'],
    [['tenant', 'model'], 'models'],
    [['tenant', 'route'], 'full']
  ]
  for (const [by, expected] of cases) {
    for (const sql of [groupsSql(cutOf(by), 20), seriesSql(cutOf(by), HOUR_S)])
      assert.equal(rollupFor(sql, []).name, expected, sql)
  }
})
