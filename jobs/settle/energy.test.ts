import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EVENT_FIELDS } from '../../schemas/event-fields.ts'
import { FIELD_TYPES } from '../../schemas/tables.ts'
import { Engine, type Row } from '../../services/lake/engine.ts'
import { energyVersion } from '../../services/rates/energy/estimate.ts'
import { energy } from './energy.ts'
import { openSettling } from './scratch-settling.ts'

const HOUR_MS = Date.parse('2026-03-01T10:00:00Z')

/** A row of the view `columns`: what is not given is null. */
const row = (key: number, given: Readonly<Record<string, string>>): string => {
  const fields = EVENT_FIELDS.map(
    ({ column, kind }) => `(${given[column] ?? 'NULL'})::${FIELD_TYPES[kind]} AS "${column}"`
  )
  return `SELECT ${key}::BIGINT AS row_key, ${fields.join(', ')}`
}

/** Rows of the view `columns` with what the estimate adds, in the order of their keys. */
const enriched = async (engine: Engine): Promise<Row[]> => {
  const { expressions, joins } = await energy(engine, HOUR_MS)
  const names = ['energy_low_uj', 'energy_mid_uj', 'energy_high_uj']
  assert.deepEqual(Object.keys(expressions), [...names, 'energy_tier', 'energy_version'])
  const added = names.map((name) => `(${expressions[name]})::BIGINT AS ${name}`)
  return engine.rows(`SELECT e.row_key, ${added.join(', ')}, ${expressions['energy_tier']} AS energy_tier
    FROM temp.columns e ${joins.join(' ')} ORDER BY e.row_key`)
}

test('model calls get an interval that holds its middle, steps without a model get no energy', async () => {
  const engine = await Engine.open()
  const call = {
    kind: "'llm'",
    response_model: "'llama-3.1-8b'",
    in_uncached: '1000',
    out_total: '200'
  }
  const rows = [
    row(1, call),
    row(2, { ...call, out_total: '2000' }),
    row(3, { kind: "'tool'", name: "'search'", out_total: '5' }),
    row(4, { ...call, out_total: 'NULL' })
  ]
  await engine.run(`CREATE TEMP VIEW columns AS ${rows.join(' UNION ALL ')}`)
  const seen = await enriched(engine)
  engine.close()
  assert.deepEqual(
    seen.map((one) => Number(one['row_key'])),
    [1, 2, 3, 4]
  )
  const [short, long, tool, unknown] = seen.map((energies) =>
    ['low', 'mid', 'high'].map((end) => energies[`energy_${end}_uj`] as bigint | null)
  )
  assert.ok(short![0]! > 0n && short![0]! < short![1]! && short![1]! < short![2]!)
  assert.ok(long![1]! > 5n * short![1]!, 'ten times the output costs several times the energy')
  assert.deepEqual(tool, [null, null, null])
  assert.deepEqual(unknown, [null, null, null], 'no reported output is not zero energy')
})

test('calls that overlap on a host share its batch, calls without a host are told by latency', async () => {
  const engine = await Engine.open()
  const call = (key: number, given: Readonly<Record<string, string>>): string =>
    row(key, {
      kind: "'llm'",
      response_model: "'llama-3.1-8b'",
      gpu: "'H100'",
      time: "TIMESTAMPTZ '2026-03-01 10:00:00+00'",
      duration_ms: '4000',
      in_uncached: '250',
      out_total: '400',
      ...given
    })
  const beside = Array.from({ length: 16 }, (_, key) => call(key, { host: "'busy'" }))
  const rows = [
    ...beside,
    call(20, { host: "'quiet'" }),
    call(21, { host: "'quiet'", concurrency: '16' }),
    call(22, {}),
    call(23, { host: "'other'", duration_ms: 'NULL' })
  ]
  await engine.run(`CREATE TEMP VIEW columns AS ${rows.join(' UNION ALL ')}`)
  const seen = await enriched(engine)
  engine.close()
  const of = (key: number) => {
    const found = seen.find((one) => Number(one['row_key']) === key)
    return { tier: found?.['energy_tier'], mid: Number(found?.['energy_mid_uj']) }
  }
  assert.equal(seen.length, rows.length)
  assert.deepEqual([of(0).tier, of(20).tier, of(22).tier, of(23).tier], ['E1', 'E1', 'E2', 'E3'])
  assert.equal(of(0).mid, of(21).mid, 'sixteen that overlap are a concurrency of sixteen')
  assert.ok(of(20).mid > 2 * of(0).mid, 'a batch of two costs more a call than one of sixteen')
})

test('method and factors stand on every row, as it lands and as it is settled', async (t) => {
  const lake = await openSettling(t)
  const given = { time: '2026-03-01T10:00:00Z', tenant: 'acme', source: 'gateway' }
  await lake.land([
    { ...given, id: 'a', kind: 'llm', response_model: 'llama-3.1-8b', tokens: { out_text: 100 } },
    { ...given, id: 'b', kind: 'tool', name: 'search' }
  ])
  for (const table of ['events_raw', 'events_settled']) {
    if (table === 'events_settled') await lake.settle()
    const rows = await lake.rows(
      `SELECT id, energy_version, energy_mid_uj IS NULL AS none FROM ${table} ORDER BY id`
    )
    assert.deepEqual(rows, [
      { id: 'a', energy_version: energyVersion(), none: false },
      { id: 'b', energy_version: energyVersion(), none: true }
    ])
  }
})
