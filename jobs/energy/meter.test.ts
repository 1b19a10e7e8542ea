import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Engine } from '../../services/lake/engine.ts'
import { parquetWriter } from '../../services/lake/land-table.ts'
import { openLake } from '../../services/lake/lake.ts'
import type { MeterReading } from '../../services/rates/energy/metered/meter-reading.ts'
import { openSettling, type Settling } from '../settle/scratch-settling.ts'
import { meter, type MeterDoors, type MeterFile } from './meter.ts'

const DAY_MS = Date.parse('2026-03-01T00:00:00Z')
const START_MS = DAY_MS + 10 * 3_600_000

const call = (id: string, second: number, given: object = {}): object => ({
  id,
  time: new Date(START_MS + second * 1000).toISOString(),
  tenant: id.startsWith('a') ? 'acme' : 'beta',
  source: 'gateway',
  kind: 'llm',
  provider: 'vllm',
  response_model: 'meta-llama/Llama-3.1-8B-Instruct',
  duration_ms: 8000,
  ttft_ms: 400,
  host: 'node-1',
  gpu: 'H100',
  n_gpus: 2,
  tokens: { in_uncached: 800, in_cache_read: 200, out_text: 300 },
  ...given
})

/** Two GPUs of a host: 60 W each while idle, 300 W while calls run; counters in joules. */
const readings = (seconds: number, busy: (second: number) => boolean): MeterReading[] =>
  ['gpu-a', 'gpu-b'].flatMap((gpu) => {
    let joules = 5000
    return Array.from({ length: seconds + 1 }, (_, second) => {
      if (second > 0) joules += busy(second - 1) ? 300 : 60
      const timeMs = START_MS + second * 1000
      return {
        host: 'node-1',
        gpu,
        gpuModel: 'NVIDIA H100',
        timeMs,
        kind: 'energy',
        unit: 'J',
        value: joules
      } satisfies MeterReading
    })
  })

const doorsOf = async (t: TestContext, { dir }: Settling): Promise<MeterDoors> => {
  const engine = await Engine.open()
  t.after(() => engine.close())
  return {
    engine,
    lake: await openLake(dir, { writeParquet: parquetWriter(engine) }),
    generation: 'g'
  }
}

const BALANCE = `SELECT host, window_start,
    sum(microjoules) FILTER (line = 'meter')::DOUBLE AS meter,
    sum(microjoules) FILTER (line NOT IN ('meter', 'estimated'))::DOUBLE AS split
  FROM energy_measured GROUP BY ALL ORDER BY ALL`

const assertConserved = async (lake: Settling): Promise<void> => {
  const rows = await lake.rows(BALANCE)
  assert.ok(rows.length > 0)
  for (const { meter: whole, split } of rows) assert.equal(split, whole)
}

const known = (lake: Settling) =>
  lake.rows(`SELECT host, window_start, line, tenant, id, sum(microjoules)::DOUBLE AS uj
    FROM energy_measured GROUP BY ALL HAVING uj <> 0 ORDER BY ALL`)

const file = (sha256: string, rows: MeterReading[]): MeterFile => ({ sha256, readings: rows })

/** Calls run in the seconds 100 to 160 of ten minutes. */
const METERED = readings(600, (second) => second >= 100 && second < 160)
const between = (from: number, to: number): MeterReading[] =>
  METERED.filter(({ timeMs }) => timeMs >= START_MS + from * 1000 && timeMs < START_MS + to * 1000)
const CALLS = Array.from({ length: 12 }, (_, index) =>
  call(`${index % 2 === 0 ? 'a' : 'b'}${index}`, 100 + index * 4)
)

test('what a host drew is split among its calls, the floor and nobody, to the microjoule', async (t) => {
  const lake = await openSettling(t)
  await lake.land(CALLS)
  await lake.settle()
  const doors = await doorsOf(t, lake)
  const result = await meter(doors, { files: [file('one', METERED)] })
  assert.deepEqual(
    { ...result, rows: result.rows > 0 },
    {
      readings: 1202,
      days: 1,
      rows: true,
      corrections: 0,
      withoutFloor: [],
      withoutCalls: [],
      lost: []
    }
  )
  await assertConserved(lake)
  const lines = await lake.rows(`SELECT line, sum(microjoules)::DOUBLE / 1e6 AS joules
    FROM energy_measured GROUP BY ALL ORDER BY ALL`)
  const joules = Object.fromEntries(lines.map((row) => [row['line'], Number(row['joules'])]))
  assert.equal(joules['meter'], 2 * (540 * 60 + 60 * 300))
  // Calls run from 100 to 152; the windows around hold eight seconds of draw that none explains.
  assert.equal(joules['active'], 2 * 60 * 240)
  assert.ok(Math.abs((joules['idle_serving'] ?? 0) - 2 * 52 * 60) < 1e-3)
  const again = await meter(doors, { files: [file('one', METERED)] })
  assert.deepEqual([again.readings, again.days, again.rows], [0, 0, 0])
})

test('late calls, late readings and repeats come to the same as everything in order', async (t) => {
  const whole = await openSettling(t)
  await whole.land([...CALLS, CALLS[3]!])
  await whole.settle()
  await meter(await doorsOf(t, whole), { files: [file('all', METERED)] })

  const late = await openSettling(t)
  const doors = await doorsOf(t, late)
  await late.land(CALLS.slice(4).toReversed())
  await late.settle()
  await meter(doors, { files: [file('first', between(0, 400).toReversed())] })
  await assertConserved(late)
  await late.land(CALLS.slice(0, 6))
  await late.settle()
  const reopened = await meter(doors, { files: [] })
  assert.ok(reopened.corrections > 0, 'windows of late calls are corrected by rows')
  await assertConserved(late)
  await meter(doors, { files: [file('second', between(200, 601))] })
  await assertConserved(late)
  assert.deepEqual(await known(late), await known(whole))
})

test('calls on several models of one host are weighed each by its own model', async (t) => {
  const lake = await openSettling(t)
  const large = { response_model: 'meta-llama/Llama-3.1-70B-Instruct' }
  await lake.land([call('a1', 100), call('b1', 100, large)])
  await meter(await doorsOf(t, lake), { files: [file('one', METERED)], idleWatts: 60 })
  await assertConserved(lake)
  const rows = await lake.rows(`SELECT tenant, sum(microjoules)::DOUBLE AS uj FROM energy_measured
    WHERE line = 'active' GROUP BY ALL ORDER BY ALL`)
  const [small, big] = rows.map((row) => Number(row['uj']))
  assert.ok(big! > 3 * small!, `${big} and ${small}`)
})

test('a counter whose unit can not be told keeps nothing', async (t) => {
  const lake = await openSettling(t)
  await lake.land(CALLS)
  const doors = await doorsOf(t, lake)
  const unclear = METERED.map((reading) => ({ ...reading, unit: null, value: 1e9 }))
  await assert.rejects(meter(doors, { files: [file('bad', unclear)] }), { code: 'E_FACTOR_TABLE' })
  assert.deepEqual(await lake.rows('FROM meter_readings'), [])
})

test('what a counter loses to a reset or a jump is told by GPU, over every day', async (t) => {
  const lake = await openSettling(t)
  await lake.land(CALLS)
  await lake.settle()
  const doors = await doorsOf(t, lake)
  /** A driver's restart after 200 s, and a glitch of one reading at 300 s: up, and down again. */
  const broken = METERED.map((reading) => {
    const second = (reading.timeMs - START_MS) / 1000
    if (reading.gpu !== 'gpu-b') return reading
    if (second === 300) return { ...reading, value: reading.value + 1e6 }
    return second >= 200 ? { ...reading, value: reading.value - 5000 } : reading
  })
  const { lost } = await meter(doors, { files: [file('broken', broken)] })
  assert.deepEqual(lost, [{ host: 'node-1', gpu: 'gpu-b', spans: 3, seconds: 3 }])
  await assertConserved(lake)
})
