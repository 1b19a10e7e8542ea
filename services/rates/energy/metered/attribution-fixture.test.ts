import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { resolveDeployment } from '../deployment.ts'
import { FACTORS } from '../factors.ts'
import { attributeEnergy, type Attribution } from './attribute.ts'
import { energyCorrections } from './corrections.ts'
import { energyCurve } from './energy-curve.ts'
import { idleWatts } from './idle-power.ts'
import type { MeterReading } from './meter-reading.ts'
import { phaseWeights } from './phase-weights.ts'
import type { ServedRequest } from './served-request.ts'

const FIXTURE = new URL(
  '../../../../../shared/data/energy/attribution-fixture.json',
  import.meta.url
)
const skip = existsSync(FIXTURE) ? false : 'the attribution fixture is not beside the repository'

const WEIGHTS = phaseWeights(
  resolveDeployment(
    { model: 'llama-3.1-70b', gpu: 'H100', gpuCount: 4, precision: 'bf16', engineYear: 2025 },
    FACTORS
  ).deployment
)

type Fixture = {
  idle_power_w: number
  energy_j_per_second: number[]
  requests: {
    id: string
    tenant: string
    start_s: number
    first_token_s: number
    end_s: number
    input_tokens: number
    cached_input_tokens: number
    output_tokens: number
    truth_active_j: number
  }[]
}

const fixture = (): Fixture => JSON.parse(readFileSync(FIXTURE, 'utf8')) as Fixture

/** The fixture's meter is of the whole host: one counter that stands for four GPUs. */
const fixtureReadings = ({ energy_j_per_second: joules }: Fixture): MeterReading[] => {
  let counter = 0
  const at = (timeMs: number): MeterReading => ({
    host: 'h',
    gpu: 'g',
    gpuModel: null,
    timeMs,
    kind: 'energy',
    unit: 'J',
    value: counter
  })
  const readings = [at(0)]
  for (const [index, joule] of joules.entries()) {
    counter += joule
    readings.push(at((index + 1) * 1000))
  }
  return readings
}

const fixtureRequests = ({ requests }: Fixture): ServedRequest[] =>
  requests.map((row) => ({
    id: row.id,
    tenant: row.tenant,
    startMs: row.start_s * 1000,
    firstTokenMs: row.first_token_s * 1000,
    endMs: row.end_s * 1000,
    uncached: row.input_tokens - row.cached_input_tokens,
    cached: row.cached_input_tokens,
    out: row.output_tokens
  }))

const attributeFixture = (
  readings: readonly MeterReading[],
  requests: readonly ServedRequest[],
  idleWattsOfHost: number
): Attribution =>
  attributeEnergy({
    curves: [energyCurve(readings)],
    requests,
    weights: WEIGHTS,
    idleWattsPerGpu: idleWattsOfHost
  })

const assertConserved = ({ lines, requests, windows }: Attribution): void => {
  for (const window of windows) {
    assert.equal(
      window.activeMicrojoules +
        window.idleServingMicrojoules +
        window.idleUnallocatedMicrojoules +
        window.unattributedMicrojoules,
      window.meterMicrojoules
    )
  }
  const active = requests.reduce((sum, row) => sum + row.activeMicrojoules, 0)
  const idle = requests.reduce((sum, row) => sum + row.idleMicrojoules, 0)
  assert.equal(active, lines.activeMicrojoules)
  assert.equal(
    active + idle + lines.idleUnallocatedMicrojoules + lines.unattributedMicrojoules,
    lines.meterMicrojoules
  )
}

test('the fixture is split within the targets, and the idle gap stays idle', { skip }, () => {
  const data = fixture()
  const result = attributeFixture(fixtureReadings(data), fixtureRequests(data), data.idle_power_w)
  assertConserved(result)
  const truth = new Map(data.requests.map((row) => [row.id, row.truth_active_j]))
  const errors = result.requests
    .map(({ id, activeMicrojoules }) =>
      Math.abs(activeMicrojoules / 1e6 / (truth.get(id) ?? 1) - 1)
    )
    .sort((a, b) => a - b)
  const median = errors[Math.floor(errors.length / 2)] ?? 1
  assert.ok(median <= 0.15, `median error per request ${median}`)
  const bias = new Map<string, { given: number; true: number }>()
  for (const { id, tenant, activeMicrojoules } of result.requests) {
    const sums = bias.get(tenant) ?? { given: 0, true: 0 }
    sums.given += activeMicrojoules / 1e6
    sums.true += truth.get(id) ?? 0
    bias.set(tenant, sums)
  }
  for (const [tenant, sums] of bias) {
    const ratio = sums.given / sums.true
    assert.ok(ratio >= 0.75 && ratio <= 1.25, `${tenant} is charged ${ratio} of its energy`)
  }
  const { lines } = result
  // The last twenty seconds are quiet.
  assert.ok(lines.idleUnallocatedMicrojoules > 0.95 * 20 * data.idle_power_w * 1e6)
  assert.ok(lines.unattributedMicrojoules < 0.01 * lines.meterMicrojoules)
})

test('shuffled, repeated and late input gives the same totals as input in order', { skip }, () => {
  const data = fixture()
  const readings = fixtureReadings(data)
  const requests = fixtureRequests(data)
  const straight = attributeFixture(readings, requests, data.idle_power_w)
  const mixed = [...requests, ...requests.slice(40, 90)].reverse()
  const again = attributeFixture(
    [...readings.slice(100), ...readings].reverse(),
    mixed,
    data.idle_power_w
  )
  assert.deepEqual(again, straight)
  const early = attributeFixture(readings, requests.slice(0, 200), data.idle_power_w)
  assertConserved(early)
  const corrections = energyCorrections(early, straight)
  assert.equal(
    corrections.reduce((sum, row) => sum + row.deltaMicrojoules, 0),
    0
  )
  const restated = new Map(early.requests.map((row) => [row.id, row.activeMicrojoules]))
  for (const { requestId, line, deltaMicrojoules } of corrections) {
    if (requestId === null || line !== 'active') continue
    restated.set(requestId, (restated.get(requestId) ?? 0) + deltaMicrojoules)
  }
  for (const { id, activeMicrojoules } of straight.requests) {
    assert.equal(restated.get(id), activeMicrojoules)
  }
  assert.deepEqual(energyCorrections(straight, again), [])
})

test(
  'the idle floor is learned from quiet seconds, and not while it was always busy',
  { skip },
  () => {
    const data = fixture()
    const curve = energyCurve(fixtureReadings(data))
    const requests = fixtureRequests(data)
    const floor = idleWatts(curve, requests) ?? 0
    assert.ok(Math.abs(floor / data.idle_power_w - 1) < 0.1, `floor ${floor}`)
    assert.equal(idleWatts(curve, [{ ...requests[0]!, startMs: 0, endMs: 380_000 }]), null)
  }
)
