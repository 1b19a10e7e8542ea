import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import { resolveDeployment } from '../deployment.ts'
import { FACTORS } from '../factors.ts'
import { apportion } from './apportion.ts'
import { attributeEnergy, type Attribution } from './attribute.ts'
import { energyCorrections } from './corrections.ts'
import { energyCurve } from './energy-curve.ts'
import { idleWatts } from './idle-power.ts'
import type { MeterReading } from './meter-reading.ts'
import { phaseWeights } from './phase-weights.ts'
import type { ServedRequest } from './served-request.ts'
import { affineShapley } from './shapley.ts'

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

const Request = fc.record({
  id: fc.uuid(),
  tenant: fc.constantFrom('a', 'b'),
  startMs: fc.integer({ min: -5000, max: 60_000 }),
  prefillMs: fc.integer({ min: 0, max: 4000 }),
  decodeMs: fc.integer({ min: 0, max: 30_000 }),
  uncached: fc.integer({ min: 0, max: 20_000 }),
  cached: fc.integer({ min: 0, max: 20_000 }),
  out: fc.integer({ min: 0, max: 2000 })
})
const Requests = fc.array(Request, { maxLength: 12 }).map((rows) =>
  rows.map(({ prefillMs, decodeMs, ...row }) => ({
    ...row,
    firstTokenMs: row.startMs + prefillMs,
    endMs: row.startMs + prefillMs + decodeMs
  }))
)
const Readings = fc
  .array(
    fc.record({
      step: fc.integer({ min: 1, max: 9000 }),
      joules: fc.integer({ min: -3, max: 900 })
    }),
    { minLength: 2, maxLength: 40 }
  )
  .map((steps) => {
    let timeMs = 0
    let value = 1000
    return steps.map(({ step, joules }): MeterReading => {
      timeMs += step
      // A negative draw stands for a reset of the counter.
      value = joules < 0 ? 0 : value + joules
      return { host: 'h', gpu: 'g', gpuModel: null, timeMs, kind: 'energy', unit: 'J', value }
    })
  })

test('energy is conserved to the microjoule for any requests, gaps and resets, in any order', () => {
  fc.assert(
    fc.property(
      Requests,
      Readings,
      fc.integer({ min: 1, max: 15_000 }),
      (requests, readings, windowMs) => {
        const split = (order: readonly ServedRequest[], meter: readonly MeterReading[]) =>
          attributeEnergy({
            curves: [energyCurve(meter)],
            requests: order,
            weights: WEIGHTS,
            idleWattsPerGpu: 60,
            windowMs
          })
        const result = split(requests, readings)
        assertConserved(result)
        assert.deepEqual(split(requests.toReversed(), readings.toReversed()), result)
        const drawn = energyCurve(readings).segments.reduce((sum, s) => sum + s.microjoules, 0)
        assert.equal(result.lines.meterMicrojoules, drawn)
        assert.ok(
          result.requests.every((row) => row.activeMicrojoules >= 0 && row.idleMicrojoules >= 0)
        )
      }
    ),
    { numRuns: 150, seed: 7 }
  )
})

test('a window without telemetry is estimated and flagged, and its energy is nobody’s', () => {
  const at = (timeMs: number, value: number): MeterReading => ({
    host: 'h',
    gpu: 'g',
    gpuModel: null,
    timeMs,
    kind: 'energy',
    unit: 'J',
    value
  })
  const seconds = (from: number, to: number, start: number) =>
    Array.from({ length: to - from + 1 }, (_, i) => at((from + i) * 1000, start + 300 * i))
  // Seconds 10 to 20 are dark: the counter goes on, nobody sees its course.
  const readings = [...seconds(0, 10, 0), ...seconds(20, 30, 6000)]
  const request = (id: string, startMs: number, endMs: number): ServedRequest => ({
    id,
    tenant: 't',
    startMs,
    firstTokenMs: startMs + 100,
    endMs,
    uncached: 500,
    cached: 0,
    out: 100
  })
  const result = attributeEnergy({
    curves: [energyCurve(readings)],
    requests: [
      request('seen', 1000, 9000),
      request('dark', 11_000, 19_000),
      request('both', 5000, 15_000),
      request('outside', 90_000, 91_000)
    ],
    weights: WEIGHTS,
    idleWattsPerGpu: 60,
    estimate: () => 1_000_000
  })
  assertConserved(result)
  assert.deepEqual(
    result.requests.map(({ id, method }) => [id, method]),
    [
      ['both', 'mixed'],
      ['dark', 'estimated'],
      ['outside', 'estimated'],
      ['seen', 'measured']
    ]
  )
  const [both, dark, , seen] = result.requests
  assert.equal(dark?.estimatedMicrojoules, 1_000_000)
  assert.equal(dark?.activeMicrojoules, 0)
  assert.equal(seen?.estimatedMicrojoules, 0)
  assert.ok((both?.estimatedMicrojoules ?? 0) > 0 && (both?.estimatedMicrojoules ?? 0) < 1_000_000)
  assert.equal(result.windows[1]?.unattributedMicrojoules, 3_000_000_000)
})

test('tokens that only the server counted are charged to nobody', () => {
  const readings = Array.from({ length: 11 }, (_, i): MeterReading => ({
    host: 'h',
    gpu: 'g',
    gpuModel: null,
    timeMs: i * 1000,
    kind: 'power',
    unit: 'W',
    value: 500
  }))
  const request = {
    id: 'a',
    tenant: 't',
    startMs: 0,
    firstTokenMs: 0,
    endMs: 10_000,
    uncached: 0,
    cached: 0,
    out: 300
  }
  const split = (output: number) =>
    attributeEnergy({
      curves: [energyCurve(readings)],
      requests: [request],
      weights: WEIGHTS,
      idleWattsPerGpu: 60,
      serverTokens: () => ({ input: 0, output })
    }).lines
  assert.equal(split(300).unattributedMicrojoules, 0)
  const half = split(600)
  const share =
    half.unattributedMicrojoules / (half.unattributedMicrojoules + half.activeMicrojoules)
  assert.ok(share > 0.45 && share <= 0.5, `unseen share ${share}`)
})

/** The Shapley value by its definition: mean marginal cost over all orders of arrival. */
const shapleyByOrders = (count: number, cost: (members: readonly number[]) => number): number[] => {
  const totals = Array.from({ length: count }, () => 0)
  const orders = permutations(Array.from({ length: count }, (_, index) => index))
  for (const order of orders) {
    for (const [position, member] of order.entries()) {
      const before = order.slice(0, position)
      totals[member] = (totals[member] ?? 0) + cost([...before, member]) - cost(before)
    }
  }
  return totals.map((total) => total / orders.length)
}

const permutations = (items: readonly number[]): number[][] =>
  items.length <= 1
    ? [[...items]]
    : items.flatMap((item) =>
        permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest])
      )

const Marginals = fc.array(fc.double({ min: 0, max: 50, noNaN: true }), {
  minLength: 1,
  maxLength: 6
})
const Shared = fc.double({ min: 0, max: 500, noNaN: true })

test('the closed form is the Shapley value: efficient, symmetric, additive, blind to order', () => {
  fc.assert(
    fc.property(Shared, Marginals, Shared, (shared, marginals, more) => {
      const cost = (members: readonly number[]): number =>
        members.length === 0 ? 0 : shared + members.reduce((sum, i) => sum + (marginals[i] ?? 0), 0)
      const value = affineShapley(shared, marginals)
      const defined = shapleyByOrders(marginals.length, cost)
      const near = (a: number, b: number): boolean =>
        Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(b))
      assert.ok(value.every((share, index) => near(share, defined[index] ?? 0)))
      const whole = cost(marginals.map((_, index) => index))
      assert.ok(
        near(
          value.reduce((sum, share) => sum + share, 0),
          whole
        )
      )
      assert.deepEqual(affineShapley(shared, marginals.toReversed()), value.toReversed())
      const twins = affineShapley(shared, [...marginals, marginals[0] ?? 0])
      assert.equal(twins[0], twins.at(-1))
      const sum = affineShapley(
        shared + more,
        marginals.map((m) => 2 * m)
      )
      const parts = affineShapley(more, marginals)
      assert.ok(sum.every((share, index) => near(share, (value[index] ?? 0) + (parts[index] ?? 0))))
      // With no shared cost a member without marginal cost is a null player and owes nothing.
      assert.equal(affineShapley(0, [...marginals, 0]).at(-1), 0)
    }),
    { numRuns: 100, seed: 11 }
  )
})

test('requests that decode alike for a whole window owe their Shapley shares of it', () => {
  const power = Array.from({ length: 11 }, (_, i): MeterReading => ({
    host: 'h',
    gpu: 'g',
    gpuModel: null,
    timeMs: i * 1000,
    kind: 'power',
    unit: 'W',
    value: 700
  }))
  const contexts = [100, 4000, 16_000]
  const requests = contexts.map((cached, index): ServedRequest => ({
    id: `r${index}`,
    tenant: 't',
    startMs: -1000,
    firstTokenMs: 0,
    endMs: 10_000,
    uncached: 0,
    cached,
    out: 400
  }))
  const { requests: rows, lines } = attributeEnergy({
    curves: [energyCurve(power)],
    requests,
    weights: WEIGHTS,
    idleWattsPerGpu: 0
  })
  const alone = (context: number, batch: number) => WEIGHTS.output(context + 200, batch)
  // Weight per token with one member less the shared cost's second half gives the marginal cost.
  const shared = (alone(100, 1) - alone(100, 2)) * 2
  const shares = affineShapley(
    shared,
    contexts.map((context) => alone(context, 1) - shared)
  )
  const whole = shares.reduce((sum, share) => sum + share, 0)
  for (const [index, share] of shares.entries()) {
    const expected = (share / whole) * lines.activeMicrojoules
    assert.ok(Math.abs((rows[index]?.activeMicrojoules ?? 0) / expected - 1) < 1e-6)
  }
})

test('whole shares add up, favour no order and give nothing to no weight', () => {
  fc.assert(
    fc.property(
      fc.nat(1e9),
      fc.uniqueArray(
        fc.record({ key: fc.string(), weight: fc.double({ min: 0, max: 9, noNaN: true }) }),
        {
          selector: ({ key }) => key
        }
      ),
      (total, claims) => {
        const shares = apportion(total, claims)
        const given = [...shares.values()].reduce((sum, share) => sum + share, 0)
        assert.equal(given, claims.some(({ weight }) => weight > 0) ? total : 0)
        assert.deepEqual(apportion(total, claims.toReversed()), shares)
        assert.ok(claims.every(({ key, weight }) => weight > 0 || !shares.has(key)))
      }
    ),
    { numRuns: 200, seed: 3 }
  )
})
