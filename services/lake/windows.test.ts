import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ENRICHED_COLUMNS, EVENT_COLUMNS } from '../../schemas/tables.ts'
import { WINDOW_MEASURES, windowsSql } from '../../schemas/windows.ts'
import { Engine } from './engine.ts'

test('a window counts 0 where no event can be counted, whatever its neighbours report', async (t) => {
  const engine = await Engine.open({ threads: 1, memoryMaxMib: 256 })
  t.after(() => engine.close())
  const given = ['time', 'tenant', 'kind', 'status']
  const nulls = [...EVENT_COLUMNS, ...ENRICHED_COLUMNS]
    .filter(({ name }) => !given.includes(name))
    .map(({ name, type }) => `NULL::${type} AS "${name}"`)
  await engine.run(`CREATE TEMP TABLE enriched AS SELECT ${nulls.join(', ')}, tenant, status, 'llm' AS kind,
    TIMESTAMPTZ '2026-03-01T00:00:00Z' AS time FROM (VALUES ('silent', NULL), ('told', 500)) t(tenant, status)`)
  const rows = await engine.rows(`FROM (${windowsSql('enriched')}) ORDER BY tenant`)
  const counts = WINDOW_MEASURES.filter(({ sql }) => sql.startsWith('count'))
  assert.ok(counts.length > 10)
  for (const { name } of counts) assert.notEqual(rows[0]?.[name], null, name)
  assert.deepEqual(
    rows.map(({ n_error }) => Number(n_error)),
    [0, 1]
  )
  assert.equal(rows[0]?.['in_total'], null)
})
