import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { numberFindings } from '../../schemas/incidents.ts'
import { rowSelect } from '../../jobs/row-select.ts'
import { landTable } from '../lake/land-table.ts'
import { commitOf, openScratchLake, sharedEngine } from '../lake/scratch-lake.ts'
import { everyDay, forecast } from './forecast.ts'
import { finding, openTestApi, openTestLake } from './test-cluster.ts'

const budget = (tenant: string, name: string, rest: object = {}) => ({
  ...finding(tenant, tenant),
  signal: 'spend-budget',
  fingerprint: `spend-budget/${name}`,
  summary: `Budget ${name} is spent`,
  ...rest
})

test("a tenant's page shows the alerts about its own budgets that are open", async (t) => {
  const settling = await openTestLake(t)
  const lake = await openScratchLake(settling.dir)
  await lake.commit(async (head) => {
    const { rows, state } = numberFindings(head.state, [
      budget('acme', 'open'),
      budget('acme', 'over'),
      budget('acme', 'over', { status: 'resolved' }),
      budget('zz-globex', 'other')
    ])
    const doors = { engine: await sharedEngine(), lake }
    const sql = rowSelect('findings', rows)
    const file = await landTable(doors, { table: 'findings', sql, time: 'detected_at' })
    return commitOf({ kind: 'alert', adds: file === null ? [] : [file], state })
  })
  const api = await openTestApi(t, settling.dir)
  const { json, status, text } = await api.get('/v1/tenants/acme?month=2026-03', 'acme')
  assert.equal(status, 200, text)
  const alerts = json['budget_alerts'] as unknown as { summary: string; severity: string }[]
  assert.deepEqual(
    alerts.map(({ summary, severity }) => [summary, severity]),
    [['Budget open is spent', 'critical']]
  )
})

describe('the forecast', () => {
  const DAY_MS = 86_400_000
  const past = { fromMs: 10 * DAY_MS, toMs: 14 * DAY_MS }

  test('counts days without cost, from the first one with any', () => {
    const days = (...costs: [number, number][]) =>
      everyDay(new Map(costs.map(([day, usd]) => [day * DAY_MS, usd])), past)
    assert.deepEqual(days([11, 5], [13, 7]), [5, 0, 7])
    assert.deepEqual(days([8, 5]), [0, 0, 0, 0])
    assert.deepEqual(days(), [])
  })

  test('four days in five of the past lie within its interval', () => {
    // Independent days, as it takes them to be: the total of ten more days against the interval.
    let [seed, inside] = [7, 0]
    const random = (): number => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647
    const day = (): number => 10 + 4 * (random() + random() + random() + random() - 2)
    const months = 2000
    for (let month = 0; month < months; month += 1) {
      const seen = forecast(0, Array.from({ length: 14 }, day), 10)
      const total = Array.from({ length: 10 }, day).reduce((sum, usd) => sum + usd, 0)
      inside += seen !== null && total >= seen.low_usd && total <= seen.high_usd ? 1 : 0
    }
    assert.ok(Math.abs(inside / months - 0.8) < 0.05, `${inside} of ${months}`)
  })
})
