import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { MART_VIEWS } from '../../services/serve/catalog/views.ts'
import { runScript, skipWithout } from './journey.ts'

/** dbt's build over the same catalog is in `services/serve/catalog/catalog.python.test.ts`. */

const bins = ['.venv-dbt', '.venv'].map((venv) =>
  fileURLToPath(new URL(`../../${venv}/bin`, import.meta.url))
)
const skip = skipWithout(process.env, `${bins[0]}/duckdb`, `${bins[1]}/python3`)
/** A dozen programs; on a busy machine they take their time. */
const TIMEOUT_MS = 900_000
/** What merged histograms promise. */
const QUANTILE_ERROR_MAX = 0.01

type Row = Record<string, string | number | null>

test(
  'an analyst opens the tables in any tool, and all tell the same',
  { timeout: TIMEOUT_MS, skip },
  async (t) => {
    const { text, read } = await runScript(t, './analyst.sh', {
      env: process.env,
      // DuckDB's shell of the one, Python of the other.
      bins: [bins[1]!, bins[0]!]
    })

    const { tables, mart } = await read<{ tables: Row[]; mart: string }>('catalog.json')
    assert.deepEqual(
      tables.map(({ name }) => name),
      MART_VIEWS.map(({ name }) => name)
    )
    const events = tables.find(({ name }) => name === 'events')
    assert.match(String(events?.['settled_until']), /^2026-03-02T\d\d:00:00/)
    assert.equal(events?.['files'], 3, 'one file for each settled hour')
    assert.ok(Number(events['bytes']) > 100_000, JSON.stringify(events))
    const listed = await text('catalog.txt')
    assert.ok(listed.includes(mart) && listed.includes('duckdb ./demo/shifted/catalog.duckdb'))

    const shown = (await read<Row[]>('tables.json')).map(({ name }) => name)
    assert.deepEqual(shown.map(String).toSorted(), MART_VIEWS.map(({ name }) => name).toSorted())
    const comments = await read<Row[]>('comments.json')
    assert.ok(
      comments.length > 50 &&
        comments.every(({ comment }) => typeof comment === 'string' && comment !== '')
    )
    assert.ok((await read<Row[]>('described.json')).length > 5)
    const top = await read<{ tenant: string; cost_usd: number }[]>('top.json')
    assert.equal(top[0]?.tenant, 'tenant-a')
    assert.equal(top.length, 10)

    const [merged, exact] = [await read<Row[]>('p95.json'), await read<Row[]>('exact.json')]
    assert.equal(merged.length, exact.length)
    for (const [index, { hour, p95_ms }] of exact.entries()) {
      const error = Number(merged[index]?.['p95_ms']) / Number(p95_ms) - 1
      assert.equal(merged[index]?.['hour'], hour)
      assert.ok(Math.abs(error) <= QUANTILE_ERROR_MAX, `${hour}: off by ${error}`)
    }

    const bySql = (await text('sql.ndjson'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { tenant: string; calls: number })
    assert.deepEqual(await read('polars.json'), bySql)
    const calls = bySql.reduce((sum, row) => sum + row.calls, 0)
    assert.deepEqual(await read('mine.json'), [{ calls }])
    assert.equal(Number(events?.['rows']), calls)
    assert.equal((await text('refused.code')).trim(), '1')
    assert.match(await text('refused.txt'), /^E_/)
  }
)
