import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { Engine } from '../../lake/engine.ts'
import { quoted } from '../../lake/parquet-writer.ts'
import { openScratchLake } from '../../lake/scratch-lake.ts'
import { eventOf, openTestLake, START_MS } from '../test-cluster.ts'
import { refreshCatalog } from './catalog.ts'
import { hourPath } from './mart.ts'
import { dictionaryPage, sourcesYaml } from './pages.ts'
import { MART_VIEWS } from './views.ts'

const root = new URL('../../../', import.meta.url)

describe('the catalog for analysts', { timeout: 120_000 }, () => {
  const ends: (() => unknown)[] = []
  const t = { after: (end: () => unknown) => ends.unshift(end) } as never
  let data = ''
  let engine: Engine
  let settling: Awaited<ReturnType<typeof openTestLake>>

  before(async () => {
    settling = await openTestLake(t)
    data = path.dirname(settling.dir)
    engine = await Engine.open()
    ends.unshift(() => engine.close())
    await refreshCatalog({ engine, lake: await openScratchLake(settling.dir) }, data)
    await engine.run(
      `ATTACH ${quoted(path.join(data, 'catalog.duckdb'))} AS opened (READ_ONLY); USE opened`
    )
  })
  after(async () => {
    for (const end of ends) await end()
  })

  test('has every view of the dictionary, with its columns, their types and comments', async () => {
    for (const { name, comment, columns } of MART_VIEWS) {
      const seen = await engine.rows(
        `SELECT column_name, data_type, comment FROM duckdb_columns()
         WHERE database_name = 'opened' AND table_name = ${quoted(name)} ORDER BY column_index`
      )
      assert.deepEqual(
        seen.map((row) => [row['column_name'], row['data_type'], row['comment']]),
        columns.map((column) => [
          column.name,
          column.type.replace('TIMESTAMPTZ', 'TIMESTAMP WITH TIME ZONE'),
          column.comment
        ]),
        name
      )
      const [view] = await engine.rows(
        `SELECT comment FROM duckdb_views() WHERE database_name = 'opened' AND view_name = ${quoted(name)}`
      )
      assert.equal(view?.['comment'], comment)
    }
  })

  test('has the settled hours, and calls_hourly adds up to them', async () => {
    const [row] = await engine.rows(`SELECT (SELECT count(*) FROM events)::DOUBLE AS events,
      (SELECT sum(calls) FROM tenant_cost_daily)::DOUBLE AS daily, (SELECT sum(n) FROM calls_hourly)::DOUBLE AS hourly,
      (SELECT count(*) FROM findings)::DOUBLE AS findings, (SELECT count(*) FROM bills)::DOUBLE AS bills`)
    assert.deepEqual(row, { events: 360, daily: 360, hourly: 360, findings: 3, bills: 0 })
  })

  test('merges histograms to quantiles within one percent of the exact ones', async () => {
    for (const q of [0.01, 0.5, 0.9, 0.95, 0.99]) {
      const [row] = await engine.rows(`SELECT
        (SELECT hist_quantile(list(duration_hist), ${q}) FROM windows)::DOUBLE AS merged,
        (SELECT quantile_disc(duration_ms, ${q}) FROM events)::DOUBLE AS exact`)
      assert.ok(
        Math.abs(Number(row?.['merged']) / Number(row?.['exact']) - 1) <= 0.01,
        `${q}: ${JSON.stringify(row)}`
      )
    }
    const groups = await engine.rows(
      'SELECT tenant, hist_quantile(list(duration_hist), 0.5) AS p50 FROM windows GROUP BY tenant'
    )
    assert.equal(groups.length, 3)
    const [empty] = await engine.rows(
      'SELECT hist_quantile(list(ttft_hist), 0.5) AS p50 FROM windows'
    )
    assert.equal(empty?.['p50'], null)
  })

  test('keeps one file an hour when the hour is settled again', async () => {
    await settling.land([{ ...eventOf('acme', 30), id: 'late', span_id: 'late', trace_id: 'late' }])
    await settling.settle()
    const lake = await openScratchLake(settling.dir)
    assert.ok((await refreshCatalog({ engine, lake }, data)).files > 0)
    assert.equal((await refreshCatalog({ engine, lake }, data)).files, 0)
    const glob = quoted(path.join(data, 'mart/events/**/*.parquet'))
    const files = await engine.rows(`SELECT file FROM glob(${glob}) ORDER BY file`)
    const hours = [0, 1, 2].map((hour) =>
      path.join(data, 'mart', hourPath('events', START_MS + hour * 3_600_000))
    )
    assert.deepEqual(
      files.map((row) => row['file']),
      hours
    )
    const [row] = await engine.rows(`SELECT count(*)::DOUBLE AS n FROM read_parquet(${glob})`)
    assert.equal(row?.['n'], 451)
  })
})

test('the dictionary and the sources of dbt are those that the schemas give', async () => {
  const read = (file: string): Promise<string> => readFile(new URL(file, root), 'utf8')
  assert.equal(
    await read('docs/reference/tables.md'),
    dictionaryPage(),
    'run services/serve/catalog/main.ts'
  )
  assert.equal(
    await read('analytics/dbt/models/sources.yml'),
    sourcesYaml(),
    'run services/serve/catalog/main.ts'
  )
})
