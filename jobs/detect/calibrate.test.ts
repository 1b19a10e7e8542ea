import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { drawTenants } from '../../infra/worlds/hit-rate.ts'
import { writeWindowFile } from '../../infra/worlds/window-file.ts'
import { openMemory } from '../../services/lake/memory.ts'
import { loadSignals } from '../../services/signals/load.ts'
import { backtestWindows } from './backtest.ts'
import { calibrate } from './calibrate.ts'

const START_MS = Date.parse('2026-03-02T00:00:00Z')
const DAY_MS = 86_400_000
const DAYS = 10
const signals = (await loadSignals()).filter(({ id }) => id === 'cache-thrash')

test('with time permuted and the incident left out, tenants like these give no finding', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'calibrate-'))
  t.after(() => rm(folder, { recursive: true }))
  const file = join(folder, 'windows.parquet')
  await writeWindowFile(
    {
      tenants: drawTenants(2, 'noisy', 9).map((tenant) => ({ ...tenant, ratePerMinute: 3 })),
      days: DAYS,
      startMs: START_MS,
      change: (tenant) => (tenant === 1 ? { minute: 8.5 * 1440, factor: 0.2 } : null),
      seed: (tenant) => tenant + 1
    },
    file
  )
  const database = await openMemory()
  const { findings } = await backtestWindows(file, { database, signals })
  assert.deepEqual(
    findings.map(({ tenant, status }) => [tenant, status]),
    [['t1', 'firing']]
  )
  const span = { fromMs: START_MS, toMs: START_MS + DAYS * DAY_MS }
  const incidents = [{ tenant: 't1', fromMs: Date.parse(findings[0]!.started_at), toMs: span.toMs }]
  const all = { signals, incidents, ...span }
  const [one, ...others] = await calibrate(database, 'main.windows', all)
  assert.deepEqual(others, [])
  assert.equal(one?.nominal, signals[0]?.settings['falseFindingsPerTenantMonth'])
  assert.ok(Math.abs(one!.tenantMonths - (2 * 3) / 30) < 1e-9)
  assert.equal(one?.findings, 0)
  const short = { fromMs: START_MS, toMs: START_MS + 7 * DAY_MS }
  assert.deepEqual(await calibrate(database, 'main.windows', { signals, ...short }), [])
  database.close()
})

test('a signal that fires at random shows how often, and a sample of tenants is enough', async () => {
  const database = await openMemory()
  await database.run(`CREATE TABLE windows AS
SELECT make_timestamptz((${START_MS} + hour * 3600000) * 1000) AS window_start, 't' || tenant AS tenant, 1 AS n
FROM range(${DAYS * 24}) h(hour), range(200) t(tenant)`)
  const noisy = {
    id: 'noisy',
    title: '',
    plots: 'n',
    runbook: '',
    settings: {},
    inputs: { window: { keys: ['tenant'], measures: ['n'] } },
    sql: { window: '-- A row per window.\nSELECT window_start, tenant, n FROM windows' },
    open: () => ({
      save: () => new Uint8Array(),
      fold: ({ startMs, grains }: { startMs: number; grains: { window?: { rows: number } } }) =>
        startMs % DAY_MS === 0 && grains.window !== undefined
          ? [{ status: 'firing', detected_at: new Date(startMs).toISOString() } as never]
          : []
    })
  }
  const span = { fromMs: START_MS, toMs: START_MS + DAYS * DAY_MS, rowsMax: 12_000 }
  const [one] = await calibrate(database, 'main.windows', { signals: [noisy], ...span })
  assert.equal(one?.findings, 3)
  assert.equal(one?.nominal, null)
  // A quarter of the rows, drawn by tenant: 50 of 200, give or take.
  const tenants = (one!.tenantMonths * 30) / 3
  assert.ok(tenants > 25 && tenants < 80, `${tenants}`)
  database.close()
})
