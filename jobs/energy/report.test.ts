import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { Engine } from '../../services/lake/engine.ts'
import { parquetWriter } from '../../services/lake/land-table.ts'
import { openLake } from '../../services/lake/lake.ts'
import type { MeterReading } from '../../services/rates/energy/metered/meter-reading.ts'
import { hourlyIntensity } from '../../services/rates/grid/hourly.ts'
import { openSettling, type Settling } from '../settle/scratch-settling.ts'
import { meter, type MeterDoors } from './meter.ts'
import { energyReport, type EnergyGroup, type EnergyReport, type ReportOptions } from './report.ts'

const START_MS = Date.parse('2026-03-01T10:00:00Z')

const event = (id: string, second: number, given: object): object => ({
  id,
  time: new Date(START_MS + second * 1000).toISOString(),
  tenant: 'acme',
  source: 'gateway',
  ...given
})

const HOSTED = {
  kind: 'llm',
  provider: 'aws.bedrock',
  region: 'eu-north-1',
  response_model: 'meta-llama/Llama-3.1-70B-Instruct',
  duration_ms: 9000,
  tokens: { in_uncached: 1000, in_cache_read: 9000, out_text: 100 }
}
const OWN = {
  ...HOSTED,
  tenant: 'beta',
  provider: 'vllm',
  region: 'eu-central-1',
  response_model: 'meta-llama/Llama-3.1-8B-Instruct',
  host: 'node-1',
  gpu: 'H100',
  n_gpus: 1
}

/** Task `good` passes after a failed attempt, `bad` is judged badly, `own` runs where a meter is. */
const EVENTS = [
  event('g1', 0, { ...HOSTED, trace_id: 'good', status: 500, error_type: 'timeout' }),
  event('g2', 20, { ...HOSTED, trace_id: 'good' }),
  event('b1', 40, { ...HOSTED, trace_id: 'bad' }),
  event('b2', 60, { kind: 'evaluation', trace_id: 'bad', score: 0.1 }),
  event('o1', 100, { ...OWN, trace_id: 'own' }),
  event('o2', 100, { ...OWN, trace_id: 'own' }),
  event('t1', 101, { kind: 'tool', name: 'search', trace_id: 'own' })
]

const METER: MeterReading[] = Array.from({ length: 301 }, (_, second) => ({
  host: 'node-1',
  gpu: 'g',
  gpuModel: null,
  timeMs: START_MS + second * 1000,
  kind: 'energy',
  unit: 'J',
  // 60 W, and 400 W from 100 s to 109 s.
  value: 60 * second + 340 * Math.min(9, Math.max(0, second - 100))
}))

const doorsOf = async (t: TestContext, { dir }: Settling): Promise<MeterDoors> => {
  const engine = await Engine.open()
  t.after(() => engine.close())
  const lake = await openLake(dir, { writeParquet: parquetWriter(engine) })
  return { engine, lake, generation: 'g' }
}

const OPTIONS: ReportOptions = {
  by: 'tenant',
  fromMs: 0,
  toMs: START_MS + 86_400_000,
  limit: 10,
  passScore: 0.5,
  intensities: [],
  zone: null
}

type Carbon = EnergyReport['total']['carbon']

const gramsOf = (carbon: Carbon | undefined, basis: keyof Carbon): number =>
  carbon?.[basis]?.grams ?? Number.NaN

const near = (actual: number | null | undefined, expected: number): void =>
  assert.ok(
    Math.abs((actual ?? Number.NaN) / expected - 1) < 1e-9,
    `${actual} is not near ${expected}`
  )

const groupAt = ({ groups }: EnergyReport, key: string): EnergyGroup => {
  const group = groups.find((one) => one.key === key)
  assert.ok(group !== undefined, key)
  return group
}

const keyed = ({ groups }: EnergyReport) => new Map(groups.map((group) => [group.key, group]))

test('a report tells joules by tenant, model, task and host, measured beside estimated', async (t) => {
  const lake = await openSettling(t)
  await lake.land(EVENTS)
  await lake.settle()
  const doors = await doorsOf(t, lake)
  await meter(doors, { files: [{ sha256: 'one', readings: METER }] })
  const tenants = await energyReport(doors, OPTIONS)
  const beta = groupAt(tenants, 'beta')
  near(beta.measured?.j, 400 * 9)
  near(beta.measured?.idle_serving_j, 60 * 9)
  near(beta.joules, 400 * 9)
  assert.deepEqual(beta.estimated.calls_by_tier, { E1: 2, E2: 0, E3: 0, E4: 0 })
  near(beta.batch?.concurrency, 2)
  assert.ok(Number(beta.batch?.alone_factor) > 1.3, 'alone, each call would need more')
  const acme = groupAt(tenants, 'acme')
  assert.equal(acme.measured, null)
  assert.equal(acme.joules, acme.estimated.mid_j)
  assert.equal(acme.batch, null, 'without a host nobody knows the batch')
  near(acme.cache?.hit_share, 0.9)
  assert.ok(Number(acme.cache?.without_factor) > 2, 'prompts of 10,000 tokens without a cache')
})

test('a task passed as it was judged or as it ended, and what failed is paid for by what passed', async (t) => {
  const lake = await openSettling(t)
  await lake.land(EVENTS)
  await lake.settle()
  const doors = await doorsOf(t, lake)
  await meter(doors, { files: [{ sha256: 'one', readings: METER }] })
  const tasks = keyed(await energyReport(doors, { ...OPTIONS, by: 'task' }))
  assert.deepEqual(
    ['good', 'bad', 'own'].map((task) => tasks.get(task)?.tasks_passed),
    [1, 0, 1]
  )
  const whole = await energyReport(doors, { ...OPTIONS, by: 'host', limit: 1 })
  assert.equal(whole.left_off, 1)
  assert.equal(whole.total.tasks_passed, 2)
  // Failed attempts and tasks are paid for by what passed.
  near(whole.total.tokens_per_joule_passed, 400 / whole.total.joules)
  near(whole.total.joules_per_task_passed, whole.total.joules / 2)
  const [host] = whole.hosts
  assert.ok(host !== undefined)
  near(host.meter_j, 60 * 300 + 340 * 9)
  near(
    host.active_j + host.idle_serving_j + host.idle_unallocated_j + host.unattributed_j,
    host.meter_j
  )
  assert.deepEqual(
    new Set(keyed(await energyReport(doors, { ...OPTIONS, by: 'model' })).keys()),
    new Set(['meta-llama/Llama-3.1-70B-Instruct', 'meta-llama/Llama-3.1-8B-Instruct'])
  )
})

test('carbon is by zone and hour, hourly figures before annual ones, bases never mixed', async (t) => {
  const lake = await openSettling(t)
  await lake.land(EVENTS)
  const doors = await doorsOf(t, lake)
  const annual = await energyReport(doors, OPTIONS)
  assert.deepEqual(
    annual.carbon.map(({ zone, hour, basis, resolution }) => [zone, hour, basis, resolution]),
    [
      ['DEU', '2026-03-01T10:00:00.000Z', 'location', 'annual'],
      ['SWE', '2026-03-01T10:00:00.000Z', 'location', 'annual']
    ]
  )
  assert.equal(annual.total.carbon.market, null, 'no contract is known, so nothing is told')
  const row = { zone: 'SWE', timeMs: START_MS, gramsPerKwh: 7 }
  const hourly = hourlyIntensity('own', [
    { ...row, basis: 'location' },
    { ...row, gramsPerKwh: 3, basis: 'market' }
  ])
  const told = await energyReport(doors, { ...OPTIONS, intensities: [hourly] })
  const acme = keyed(told).get('acme')?.carbon
  const site = told.carbon.find(({ zone, basis }) => zone === 'SWE' && basis === 'location')
  const kilowattHours = Number(site?.site_j) / 3.6e6
  near(gramsOf(acme, 'location'), kilowattHours * 7)
  near(gramsOf(acme, 'market'), kilowattHours * 3)
  const { market, location } = told.total.carbon
  assert.ok(market !== null && market.covered < 1 && location?.covered === 1)
  assert.equal(keyed(told).get('beta')?.carbon.market, null)
})

test('a zone that nobody knows is refused, since the mean of the world would answer for it', async (t) => {
  const lake = await openSettling(t)
  await lake.land(EVENTS)
  const doors = await doorsOf(t, lake)
  const asked = { ...OPTIONS, zone: 'DE' }
  await assert.rejects(energyReport(doors, asked), { code: 'E_USAGE', message: /zone "DE"/ })
  const row = { zone: 'DE', timeMs: START_MS, gramsPerKwh: 7, basis: 'location' } as const
  const own = { ...asked, intensities: [hourlyIntensity('own', [row])] }
  const zones = ({ carbon }: EnergyReport): string[] => carbon.map(({ zone }) => zone)
  // Calls whose region is known are where they are, whatever zone is given for the others.
  assert.deepEqual(zones(await energyReport(doors, own)), ['DEU', 'SWE'])
  await lake.land([event('x1', 200, { ...OWN, region: 'cellar-7' })])
  assert.deepEqual(zones(await energyReport(doors, own)), ['DE', 'DEU', 'SWE'])
  const belgium = { ...OWN, provider: 'gcp.vertex_ai', region: 'europe-west1' }
  await lake.land([event('x2', 200, belgium)])
  assert.deepEqual(zones(await energyReport(doors, own)), ['BEL', 'DE', 'DEU', 'SWE'])
})

test('tokens per joule are of the calls whose output is known: a measured one may tell none', async (t) => {
  const lake = await openSettling(t)
  const silent = { ...OWN, trace_id: 'silent', tokens: { in_uncached: 1000 } }
  await lake.land([...EVENTS, event('o3', 100, silent)])
  await lake.settle()
  const doors = await doorsOf(t, lake)
  await meter(doors, { files: [{ sha256: 'one', readings: METER }] })
  const calls = keyed(await energyReport(doors, { ...OPTIONS, by: 'task' }))
  const [own, none] = [calls.get('own'), calls.get('silent')]
  assert.ok(Number(none?.joules) > 0, 'what it drew is known')
  assert.equal(none?.tokens_per_joule, null)
  near(groupAt(await energyReport(doors, OPTIONS), 'beta').tokens_per_joule, 200 / own!.joules)
})
