import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { TABLES } from '../../../schemas/tables.ts'
import { openScratchLake, sharedEngine } from '../../lake/scratch-lake.ts'
import { openTestLake } from '../test-cluster.ts'
import { refreshCatalog } from './catalog.ts'
import { HOURLY } from './mart.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../../', import.meta.url))
const PYTHON = path.join(root, '.venv/bin/python')
const DBT = path.join(root, '.venv-dbt/bin/dbt')
const SHELL = path.join(root, '.venv-dbt/bin/duckdb')
const skip = [PYTHON, DBT, SHELL].every(existsSync)
  ? false
  : 'needs .venv and .venv-dbt: run infra/python/setup.sh'

type Seen = {
  files: number
  pyarrow: number
  polars: number
  columns: string[]
  cost_pico: string | null
  polars_cost_pico: string | null
}

// delta-rs reads the tables themselves in `services/lake/lake.python.test.ts`.
describe('the analyst’s tables, read by others', { skip, timeout: 240_000 }, () => {
  const ends: (() => unknown)[] = []
  let data = ''

  before(async () => {
    const t = { after: (end: () => unknown) => ends.unshift(end) } as never
    const { dir } = await openTestLake(t)
    data = path.dirname(dir)
    await refreshCatalog({ engine: await sharedEngine(), lake: await openScratchLake(dir) }, data)
  })
  after(async () => {
    for (const end of ends) await end()
  })

  test('pyarrow and polars see every row, column and pico-dollar of the mart', async () => {
    const reader = fileURLToPath(new URL('./read_mart.py', import.meta.url))
    const { stdout } = await run(PYTHON, [reader, path.join(data, 'mart')])
    const seen = JSON.parse(stdout) as Record<string, Seen>
    assert.equal(seen['events']?.pyarrow, 360)
    for (const [name, one] of Object.entries(seen)) {
      const table = HOURLY[name]!
      assert.equal(one.files, 2)
      assert.equal(one.pyarrow, one.polars)
      assert.equal(one.cost_pico, one.polars_cost_pico)
      assert.deepEqual(
        one.columns,
        TABLES[table].map((column) => column.name)
      )
    }
    assert.equal(seen['events']?.cost_pico, seen['windows']?.cost_pico)
  })

  test('the shell of DuckDB opens the catalog, describes it and merges quantiles', async () => {
    const sql = `SELECT (SELECT sum(calls) FROM tenant_cost_daily) AS calls,
      (SELECT hist_quantile(list(duration_hist), 0.5) FROM windows) AS p50`
    const { stdout } = await run(SHELL, [
      '-readonly',
      '-json',
      path.join(data, 'catalog.duckdb'),
      sql
    ])
    const [row] = JSON.parse(stdout) as { calls: number | string; p50: number }[]
    assert.equal(Number(row?.calls), 360)
    assert.ok(Math.abs(row!.p50 / 159 - 1) < 0.01, String(row?.p50))
  })

  test('dbt builds its models on the sources, and their tests pass', async () => {
    const project = path.join(data, 'dbt')
    await cp(path.join(root, 'analytics/dbt'), project, { recursive: true })
    const { stdout } = await run(
      DBT,
      ['build', '--profiles-dir', project, '--project-dir', project],
      {
        env: {
          ...process.env,
          TALLY_MART: path.join(data, 'mart'),
          TALLY_DBT: path.join(data, 'dbt.duckdb'),
          DBT_SEND_ANONYMOUS_USAGE_STATS: 'false'
        }
      }
    )
    assert.match(stdout, /PASS=5 WARN=0 ERROR=0 SKIP=0/)
  })
})
