import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EVENT_FIELDS } from '../../schemas/event-fields.ts'
import { FIELD_TYPES } from '../../schemas/tables.ts'
import { sharedEngine } from '../lake/scratch-lake.ts'
import { estimateColumns, TIERS } from '../rates/energy/estimate-columns.ts'
import { estimateEnergy } from '../rates/energy/estimate.ts'
import { interTokenMs } from '../rates/energy/inter-token.ts'
import { loadEnergy, readServedCalls } from './call-energy.ts'

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

type Event = {
  row_key: number
  response_model: string | null
  gpu: string | null
  precision: string | null
  n_gpus: number | null
  host: string | null
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
  return Array.from({ length: ROWS }, (_, row_key) => ({
    row_key,
    host: null,
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

const literal = (value: string | number | null): string => {
  if (value === null) return 'NULL'
  return typeof value === 'string' ? `'${value}'` : String(value)
}

/** A relation with every column of an event; what is not given is null. */
const relationOf = (events: readonly Event[]): string => {
  const names = Object.keys(events[0] ?? {}) as (keyof Event)[]
  const tuples = events.map((event) => `(${names.map((name) => literal(event[name])).join()})`)
  const columns = EVENT_FIELDS.map(({ column, kind }) => {
    const value = names.includes(column as keyof Event) ? `v."${column}"` : 'NULL'
    return `(${value})::${FIELD_TYPES[kind]} AS "${column}"`
  })
  return `(SELECT v.row_key, ${columns.join()} FROM (VALUES ${tuples.join()}) AS v(${names.join()}))`
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

test('columns out of SQL are estimated as each call by itself, to 1e-9', async () => {
  const events = randomEvents()
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
    const expected = expectedOf(event)
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
    mid: column(2, NaN),
    high: column(3, NaN),
    tier: Int32Array.of(2, 0),
    others: { batch: column(NaN, 8) }
  })
  assert.deepEqual(await engine.rows('FROM temp.estimated'), [
    { row_key: 7, low_j: 1, mid_j: 2, high_j: 3, tier: 'E3', batch: null },
    { row_key: 3_000_000, low_j: null, mid_j: null, high_j: null, tier: null, batch: 8 }
  ])
})

test('no calls are no rows', async () => {
  const engine = await sharedEngine()
  const none = { engineYear: ENGINE_YEAR, untilMs: null }
  const relation = `(FROM ${relationOf(randomEvents().slice(0, 1))} WHERE false)`
  const calls = await readServedCalls(engine, relation, none)
  await loadEnergy(engine, 'estimated', { rowKey: calls.rowKey, ...estimateColumns(calls) })
  assert.deepEqual(await engine.rows('FROM temp.estimated'), [])
})
