import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ColumnData } from '../lake/columns.ts'
import { textColumn } from '../lake/text-column.ts'
import { estimateEvent } from '../rates/energy/estimate-event.ts'
import { KnownDeployments } from '../rates/energy/known-deployments.ts'
import { TIERS } from '../rates/energy/deployment-figures.ts'
import { expectedOf, randomCalls, type RandomCall } from './fixtures/random-calls.ts'
import { flushEstimate } from './landed-energy.ts'

/** More than a block, and no whole number of them. */
const CALLS = 5003
const NEW_MS = Date.parse('2026-03-01T00:00:00Z')
const OLD_MS = Date.parse('2024-12-31T23:59:59.999Z')

/** What memory that is used again may hold where a row has no value. */
const STALE = 1_000_003

const validOf = (values: readonly unknown[]): Uint8Array<ArrayBuffer> => {
  const valid = new Uint8Array(Math.ceil(values.length / 64) * 8)
  values.forEach((value, row) => {
    if (value !== null) valid[row >> 3]! |= 1 << (row & 7)
  })
  return valid
}

const numbers = (values: readonly (number | null)[], type: 'INTEGER' | 'DOUBLE'): ColumnData => {
  const given = values.map((value) => value ?? STALE)
  const valid = validOf(values)
  return type === 'DOUBLE'
    ? { type, values: Float64Array.from(given), valid }
    : { type, values: Int32Array.from(given), valid }
}

const words = (values: readonly (string | null)[]): ColumnData => {
  const seen = [...new Set(values.filter((value) => value !== null))]
  const sorted = seen.toSorted()
  const rank = Int32Array.from(seen, (value) => sorted.indexOf(value))
  const codes = Int32Array.from(values, (value) => (value === null ? STALE : seen.indexOf(value)))
  return { type: 'ENUM', codes, dictionary: { values: sorted, rank }, valid: validOf(values) }
}

const texts = (values: readonly (string | null)[]): ColumnData => ({
  ...textColumn(values.map((value) => Buffer.from(value ?? ''))),
  valid: validOf(values)
})

const times = (values: readonly number[]): ColumnData => ({
  type: 'TIMESTAMP',
  values: Int32Array.from(
    values.flatMap((ms) => [((ms * 1000) % 2 ** 32) | 0, Math.floor((ms * 1000) / 2 ** 32)])
  ),
  valid: null
})

const WORDS = ['kind', 'response_model', 'gpu', 'precision'] as const
const COUNTS = [
  'n_gpus',
  'in_total',
  'in_uncached',
  'in_cache_read',
  'in_cache_write_5m',
  'out_total',
  'out_text',
  'out_reasoning',
  'duration_ms',
  'ttft_ms'
] as const

type Flush = { calls: readonly RandomCall[]; timesMs: readonly number[]; models?: typeof texts }

/** What a flush of these calls adds to its columns, by row. */
const landed = ({ calls, timesMs, models = words }: Flush, estimate = flushEstimate()) => {
  const columns: Record<string, ColumnData> = { time: times(timesMs) }
  for (const name of WORDS) columns[name] = words(calls.map((call) => call[name]))
  columns['response_model'] = models(calls.map((call) => call.response_model))
  for (const name of COUNTS)
    columns[name] = numbers(
      calls.map((call) => call[name]),
      'INTEGER'
    )
  columns['concurrency'] = numbers(
    calls.map(({ concurrency }) => concurrency),
    'DOUBLE'
  )
  const segment = { rows: calls.length, columns: Object.values(columns) }
  const whole = estimate({ names: Object.keys(columns), segments: [segment] })
  const given = new Map(whole.names.map((name, at) => [name, whole.segments[0]!.columns[at]!]))
  const microjoules = (name: string, row: number): number | null => {
    const column = given.get(name)
    assert.ok(column?.type === 'BIGINT')
    if (column.valid !== null && (column.valid[row >> 3]! & (1 << (row & 7))) === 0) return null
    return column.values[row * 2 + 1]! * 2 ** 32 + (column.values[row * 2]! >>> 0)
  }
  const tier = given.get('energy_tier')
  assert.ok(tier?.type === 'ENUM')
  return calls.map((_, row) => ({
    low: microjoules('energy_low_uj', row),
    mid: microjoules('energy_mid_uj', row),
    high: microjoules('energy_high_uj', row),
    tier: TIERS[tier.codes[row]!]
  }))
}

const expected = (call: RandomCall, year: number) => {
  const isServed = call.kind === 'llm' || call.kind === 'embedding'
  const estimate = isServed ? expectedOf(call, year) : null
  const whole = (joules: number | undefined): number | null =>
    joules === undefined ? null : Math.round(joules * 1e6)
  const { low, mid, high } = estimate?.joules ?? {}
  return { low: whole(low), mid: whole(mid), high: whole(high), tier: estimate?.tier ?? 'E1' }
}

test('a flush is estimated as each of its calls by itself, to the microjoule', () => {
  const calls = randomCalls(CALLS).map((call, row) =>
    row % 50 === 0 ? { ...call, n_gpus: 1000 + row } : call
  )
  const timesMs = calls.map((_, row) => (row % 3 === 0 ? OLD_MS : NEW_MS))
  const energies = landed({ calls, timesMs })
  for (const [row, call] of calls.entries()) {
    assert.deepEqual(
      energies[row],
      expected(call, row % 3 === 0 ? 2024 : 2026),
      JSON.stringify(call)
    )
  }
  assert.deepEqual(new Set(energies.map(({ tier }) => tier)), new Set(TIERS))
})

test('models that hardly repeat come as text, and get the same', () => {
  const calls = randomCalls(300)
  const timesMs = calls.map(() => NEW_MS)
  assert.deepEqual(landed({ calls, timesMs, models: texts }), landed({ calls, timesMs }))
})

test('an event by itself, as backtests have it, gets what it gets in a flush', () => {
  const calls = randomCalls(2000)
  const timesMs = calls.map((_, row) => (row % 3 === 0 ? OLD_MS : NEW_MS))
  const known = new KnownDeployments()
  const single = calls.map((call, row) =>
    estimateEvent({ ...call, time: timesMs[row]! * 1000 }, known)
  )
  const nothing = { low: null, mid: null, high: null, tier: 'E1' }
  assert.deepEqual(
    single.map((energy) => energy ?? nothing),
    landed({ calls, timesMs })
  )
})

test('memory of an earlier flush that was longer leaves nothing in a later one', () => {
  const calls = randomCalls(CALLS)
  const estimate = flushEstimate()
  const timesMs = calls.map(() => NEW_MS)
  landed({ calls, timesMs }, estimate)
  const later = calls.slice(4000).toReversed()
  assert.deepEqual(landed({ calls: later, timesMs }, estimate), landed({ calls: later, timesMs }))
})

test('a flush without events stays as it is', () => {
  assert.deepEqual(flushEstimate()({ names: ['time'], segments: [] }), {
    names: ['time'],
    segments: []
  })
})
