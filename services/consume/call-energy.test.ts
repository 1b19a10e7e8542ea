import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EVENT_FIELDS } from '../../schemas/event-fields.ts'
import { FIELD_TYPES } from '../../schemas/tables.ts'
import { sharedEngine } from '../lake/scratch-lake.ts'
import { TIERS } from '../rates/energy/deployment-figures.ts'
import { estimateColumns } from '../rates/energy/estimate-columns.ts'
import { loadEnergy, readServedCalls } from './call-energy.ts'
import { expectedOf, randomCalls, type RandomCall } from './fixtures/random-calls.ts'

const ENGINE_YEAR = 2026
const ROWS = 1500

const literal = (value: string | number | null): string => {
  if (value === null) return 'NULL'
  return typeof value === 'string' ? `'${value}'` : String(value)
}

/** A relation with every column of an event; what is not given is null. */
const relationOf = (events: readonly RandomCall[]): string => {
  const names = Object.keys(events[0] ?? {}) as (keyof RandomCall)[]
  const tuples = events.map((event) => `(${names.map((name) => literal(event[name])).join()})`)
  const columns = EVENT_FIELDS.map(({ column, kind }) => {
    const value = names.includes(column as keyof RandomCall) ? `v."${column}"` : 'NULL'
    return `(${value})::${FIELD_TYPES[kind]} AS "${column}"`
  })
  return `(SELECT v.row_key, ${columns.join()} FROM (VALUES ${tuples.join()}) AS v(${names.join()}))`
}

const close = (actual: unknown, expected: number, name: string): void => {
  assert.equal(typeof actual, 'number', name)
  const distance = Math.abs(Number(actual) - expected)
  assert.ok(distance <= 1e-9 * Math.abs(expected), `${name}: ${String(actual)} for ${expected}`)
}

test('columns out of SQL are estimated as each call by itself, to 1e-9', async () => {
  const events = randomCalls(ROWS)
  const calls = await readServedCalls(await sharedEngine(), relationOf(events), {
    engineYear: ENGINE_YEAR,
    untilMs: null
  })
  const energy = estimateColumns(calls)
  const rowOf = new Map([...calls.rowKey].map((key, row) => [key, row]))
  const tiers = new Set<string>()
  for (const event of events) {
    const name = JSON.stringify(event)
    const row = rowOf.get(event.row_key)
    assert.equal(row !== undefined, ['llm', 'embedding'].includes(event.kind), name)
    if (row === undefined) continue
    const expected = expectedOf(event, ENGINE_YEAR)
    if (expected === null) {
      assert.ok(Number.isNaN(energy.mid[row]), name)
      continue
    }
    close(energy.low[row], expected.joules.low, name)
    close(energy.mid[row], expected.joules.mid, name)
    close(energy.high[row], expected.joules.high, name)
    assert.equal(TIERS[energy.tier[row] ?? -1], expected.tier, name)
    tiers.add(expected.tier)
  }
  assert.deepEqual([...tiers].sort(), ['E1', 'E2', 'E3', 'E4'])
})

test('estimates come back as a table, and what has none is null', async () => {
  const engine = await sharedEngine()
  const column = (...values: number[]) => Float64Array.from(values)
  await loadEnergy(engine, 'estimated', {
    rowKey: column(7, 3_000_000),
    low: column(1, NaN),
    mid: column(2.5e6, NaN),
    high: column(3e6, NaN),
    tier: Int32Array.of(2, 0),
    others: { batch: column(NaN, 8) }
  })
  assert.deepEqual(await engine.rows('FROM temp.estimated'), [
    {
      row_key: 7,
      energy_low_uj: 1_000_000n,
      energy_mid_uj: 2_500_000_000_000n,
      energy_high_uj: 3_000_000_000_000n,
      energy_tier: 'E3',
      batch: null
    },
    {
      row_key: 3_000_000,
      energy_low_uj: null,
      energy_mid_uj: null,
      energy_high_uj: null,
      energy_tier: null,
      batch: 8
    }
  ])
})

test('no calls are no rows', async () => {
  const engine = await sharedEngine()
  const none = { engineYear: ENGINE_YEAR, untilMs: null }
  const relation = `(FROM ${relationOf(randomCalls(1))} WHERE false)`
  const calls = await readServedCalls(engine, relation, none)
  await loadEnergy(engine, 'estimated', { rowKey: calls.rowKey, ...estimateColumns(calls) })
  assert.deepEqual(await engine.rows('FROM temp.estimated'), [])
})
