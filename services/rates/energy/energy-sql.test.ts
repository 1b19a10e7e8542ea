import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api'
import {
  ENERGY_KEY_COLUMNS,
  energyJoulesSql,
  energyParameterTableSql,
  energyParameterValues,
  energySql,
  energyVersion,
  type EnergyKey
} from './energy-sql.ts'
import { estimateEnergy } from './estimate.ts'
import { interTokenMs } from './inter-token.ts'

const ENGINE_YEAR = 2026
const ROWS = 1500

/** A small generator with a fixed seed (Park and Miller). */
const generator = (seed: number) => {
  let state = seed
  return (): number => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
}

type Event = EnergyKey & {
  id: number
  kind: string
  in_uncached: number | null
  in_cache_read: number | null
  in_cache_write_5m: number | null
  out_total: number | null
  out_text: number | null
  out_reasoning: number | null
  duration_ms: number | null
  ttft_ms: number | null
  concurrency: number | null
}

const MODELS = [
  'meta-llama/Llama-3.1-8B-Instruct',
  'Qwen/Qwen3-235B-A22B-Instruct-2507-FP8',
  'openai/gpt-oss-120b',
  'nvidia/NVIDIA-Nemotron-Nano-9B-v2',
  'gpt-4o-2024-08-06',
  'nothing-known-of-it',
  'some-7b-chat',
  null
]

const randomEvents = (): Event[] => {
  const random = generator(11)
  const pick = <Value>(values: readonly Value[]): Value =>
    values[Math.floor(random() * values.length)] as Value
  const maybe = (value: number, share: number): number | null => (random() < share ? value : null)
  const whole = (top: number): number => Math.floor(random() ** 3 * top)
  return Array.from({ length: ROWS }, (_, id) => ({
    id,
    kind: pick(['llm', 'llm', 'llm', 'embedding', 'tool']),
    response_model: pick(MODELS),
    gpu: pick(['NVIDIA H100 80GB HBM3', 'B200', 'A100-SXM4-40GB', 'MI300X', null]),
    precision: pick(['fp8', 'bfloat16', null]),
    n_gpus: pick([1, 4, 8, null]),
    in_uncached: maybe(whole(60_000), 0.9),
    in_cache_read: maybe(whole(60_000), 0.6),
    in_cache_write_5m: maybe(whole(2000), 0.2),
    out_total: maybe(whole(3000), 0.7),
    out_text: maybe(whole(3000), 0.7),
    out_reasoning: maybe(whole(2000), 0.2),
    duration_ms: maybe(whole(90_000), 0.9),
    ttft_ms: maybe(whole(4000), 0.7),
    concurrency: maybe(random() * 300, 0.4)
  }))
}

const literal = (value: string | number | boolean | null): string => {
  if (value === null) return 'NULL'
  return typeof value === 'string' ? `'${value}'` : String(value)
}

const connect = async (events: readonly Event[]): Promise<DuckDBConnection> => {
  const instance = await DuckDBInstance.create(':memory:')
  const database = await instance.connect()
  await database.run(`CREATE TABLE events (id INTEGER, kind VARCHAR, response_model VARCHAR,
    gpu VARCHAR, precision VARCHAR, n_gpus INTEGER, in_uncached BIGINT, in_cache_read BIGINT,
    in_cache_write_5m BIGINT, in_cache_write_30m BIGINT, in_cache_write_1h BIGINT,
    in_cache_write_12h BIGINT, in_cache_write_unk BIGINT, in_tool_use BIGINT, out_total BIGINT,
    out_text BIGINT, out_reasoning BIGINT, duration_ms BIGINT, ttft_ms BIGINT, concurrency DOUBLE)`)
  const columns = Object.keys(events[0] ?? {}) as (keyof Event)[]
  const tuples = events.map((event) => `(${columns.map((name) => literal(event[name])).join()})`)
  await database.run(`INSERT INTO events (${columns.join()}) VALUES ${tuples.join()}`)
  await database.run(energyParameterTableSql('parameters'))
  const keys = new Map<string, EnergyKey>()
  for (const event of events) {
    keys.set(JSON.stringify(ENERGY_KEY_COLUMNS.map((name) => event[name])), event)
  }
  const rows = [...keys.values()].map(
    (key) => `(${energyParameterValues(key, ENGINE_YEAR).map(literal).join()})`
  )
  await database.run(`INSERT INTO parameters VALUES ${rows.join()}`)
  return database
}

const expectedOf = (event: Event) => {
  const split = event.out_text === null ? null : event.out_text + (event.out_reasoning ?? 0)
  const out = event.out_total ?? split ?? (event.kind === 'embedding' ? 0 : null)
  if (out === null) return null
  const written = event.in_cache_write_5m
  const uncached =
    event.in_uncached === null && written === null
      ? null
      : (event.in_uncached ?? 0) + (written ?? 0)
  return estimateEnergy({
    model: event.response_model,
    gpu: event.gpu,
    precision: event.precision,
    gpuCount: event.n_gpus,
    engineYear: ENGINE_YEAR,
    concurrency: event.concurrency,
    interTokenMs: interTokenMs({
      durationMs: event.duration_ms,
      ttftMs: event.ttft_ms,
      out,
      outReasoning: event.out_reasoning
    }),
    inUncached: uncached,
    inCacheRead: event.in_cache_read,
    out
  })
}

const close = (actual: unknown, expected: number, name: string): void => {
  assert.equal(typeof actual, 'number', name)
  const distance = Math.abs(Number(actual) - expected)
  assert.ok(distance <= 1e-9 * Math.abs(expected), `${name}: ${String(actual)} for ${expected}`)
}

test('SQL and TypeScript give the same energy to 1e-9 on random rows', async () => {
  const events = randomEvents()
  const database = await connect(events)
  const sql = `${energyJoulesSql({ events: 'events', parameters: 'parameters' })} ORDER BY id`
  const rows = (await database.runAndReadAll(sql)).getRowObjectsJS()
  const tiers = new Set<string>()
  for (const [index, event] of events.entries()) {
    const row = rows[index] ?? {}
    const expected = expectedOf(event)
    if (expected === null) {
      assert.equal(row['energy_mid_j'], null, JSON.stringify(event))
      continue
    }
    const name = JSON.stringify(event)
    close(row['energy_low_j'], expected.joules.low, name)
    close(row['energy_mid_j'], expected.joules.mid, name)
    close(row['energy_high_j'], expected.joules.high, name)
    assert.equal(row['energy_tier'], expected.tier, name)
    tiers.add(expected.tier)
  }
  assert.deepEqual([...tiers].sort(), ['E1', 'E2', 'E3', 'E4'])
  database.closeSync()
})

test('SQL gives whole microjoules, a tier and a version, and keeps the columns of the events', async () => {
  const events = randomEvents().slice(0, 400)
  const database = await connect(events)
  const sql = `${energySql({ events: 'events', parameters: 'parameters' })} ORDER BY id`
  const reader = await database.runAndReadAll(sql)
  assert.deepEqual(reader.columnNames().slice(-5), [
    'energy_tier',
    'energy_low_uj',
    'energy_mid_uj',
    'energy_high_uj',
    'energy_version'
  ])
  assert.equal(reader.columnNames().length, 20 + 5)
  for (const [index, row] of reader.getRowObjectsJS().entries()) {
    const expected = expectedOf(events[index] as Event)
    if (expected === null) continue
    const microjoules = expected.joules.mid * 1e6
    const distance = Math.abs(Number(row['energy_mid_uj']) - microjoules)
    assert.ok(distance <= 0.5 + 1e-9 * microjoules)
    assert.equal(row['energy_version'], energyVersion())
  }
  database.closeSync()
})
