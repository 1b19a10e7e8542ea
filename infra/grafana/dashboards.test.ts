import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { z } from 'zod'
import { Engine } from '../../services/lake/engine.ts'
import { quoted } from '../../services/lake/parquet-writer.ts'
import { openScratchLake } from '../../services/lake/scratch-lake.ts'
import { refreshCatalog } from '../../services/serve/catalog/catalog.ts'
import { Case, caseLines } from '../../services/signals/case.ts'
import { loadSignals } from '../../services/signals/load.ts'
import { openTestLake, START_MS } from '../../services/serve/test-cluster.ts'
import { dashboardFiles } from './dashboard-files.ts'

const folder = new URL('./dashboards/', import.meta.url)
const signals = new URL('../../services/signals/', import.meta.url)
/** Enough of a case for its panel to have rows. */
const EVENTS_OF_CASE = 40
const HOUR_MS = 3_600_000

const Panels = z.object({
  panels: z.array(
    z.object({
      id: z.int(),
      title: z.string(),
      type: z.string(),
      gridPos: z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() }),
      targets: z.array(z.object({ rawSql: z.string().optional() })).min(1)
    })
  )
})
type Panel = z.infer<typeof Panels>['panels'][number]

const readPanels = async (name: string): Promise<Panel[]> =>
  Panels.parse(JSON.parse(await readFile(new URL(name, folder), 'utf8'))).panels

/** The SQL as Grafana sends it: macros and variables replaced. */
const asSent = (sql: string, series: string): string =>
  sql
    .replaceAll(
      /\$__timeFilter\((\w+)\)/g,
      "$1 BETWEEN '2020-01-01T00:00:00Z' AND '2030-01-01T00:00:00Z'"
    )
    .replaceAll('${series:sqlstring}', quoted(series))

test('the dashboards are those of the signals on disk: node --import tsx infra/grafana/main.ts', async () => {
  const files = await dashboardFiles()
  assert.deepEqual((await readdir(folder)).toSorted(), files.map(([name]) => name).toSorted())
  for (const [name, text] of files)
    assert.equal(await readFile(new URL(name, folder), 'utf8'), text, name)
})

test('no two panels of a dashboard lie on one another', async () => {
  for (const [name] of await dashboardFiles()) {
    const cells = (await readPanels(name)).flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)} ${y + Math.floor(cell / w)}`)
    )
    assert.equal(new Set(cells).size, cells.length, name)
    assert.ok(cells.every((cell) => Number.parseInt(cell, 10) < 24))
  }
})

describe(
  'over the catalog of a lake with the traffic of every signal',
  { timeout: 120_000 },
  () => {
    const ends: (() => unknown)[] = []
    let engine: Engine
    before(async () => {
      const lake = await openTestLake({ after: (end: () => unknown) => ends.unshift(end) } as never)
      const events = await Promise.all((await loadSignals()).map(({ id }) => eventsOf(id)))
      await lake.land(events.flat())
      await lake.settle()
      const data = path.dirname(lake.dir)
      engine = await Engine.open()
      ends.unshift(() => engine.close())
      await refreshCatalog({ engine, lake: await openScratchLake(lake.dir) }, data)
      await engine.run(
        `ATTACH ${quoted(path.join(data, 'catalog.duckdb'))} AS opened (READ_ONLY); USE opened`
      )
    })
    after(async () => {
      for (const end of ends) await end()
    })

    test('every panel has rows, and its filter leaves none where no series has the text', async () => {
      for (const { title, type, targets } of await readPanels('signals.json')) {
        const sql = targets[0]?.rawSql ?? assert.fail(title)
        const rows = await engine.rows(asSent(sql, ''))
        assert.ok(rows.length > 0, `${title} has no rows`)
        assert.doesNotMatch(asSent(sql, ''), /\$/, title)
        if (type !== 'timeseries') continue
        assert.deepEqual(Object.keys(rows[0] ?? {}), ['time', 'metric', 'value'], title)
        assert.ok(
          rows.some(({ value }) => value !== null),
          `${title} has no value`
        )
        assert.deepEqual(await engine.rows(asSent(sql, "no'such")), [], title)
      }
    })
  }
)

/**
 * The first events of each case of a signal, with ids of their own and moved into one hour: settling
 * takes its time by the hour.
 */
const eventsOf = async (signal: string): Promise<object[]> => {
  const cases = new URL(`${signal}/cases/`, signals)
  const names = (await readdir(cases)).filter((name) => name.endsWith('.json')).toSorted()
  const all = await Promise.all(names.map((name) => readFile(new URL(name, cases), 'utf8')))
  return all.flatMap((text, at) => {
    const one = Case.parse(JSON.parse(text))
    const lines = caseLines(one).slice(0, EVENTS_OF_CASE)
    return lines.map((line) => {
      const event = JSON.parse(line) as Record<string, unknown>
      const afterMs = Date.parse(String(event['time'])) - Date.parse(one.start)
      const time = new Date(START_MS + (afterMs % HOUR_MS)).toISOString()
      return { ...event, time, id: `${signal} ${at} ${String(event['id'])}` }
    })
  })
}
