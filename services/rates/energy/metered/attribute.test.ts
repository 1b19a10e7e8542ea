import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { resolveDeployment } from '../deployment.ts'
import { FACTORS } from '../factors.ts'
import { attributeEnergy, type Attribution } from './attribute.ts'
import { energyCurve } from './energy-curve.ts'
import type { MeterReading } from './meter-reading.ts'
import { phaseWeights } from './phase-weights.ts'
import type { ServedRequest } from './served-request.ts'
import { affineShapley } from './shapley.ts'

const WEIGHTS = phaseWeights(
  resolveDeployment(
    { model: 'llama-3.1-70b', gpu: 'H100', gpuCount: 4, precision: 'bf16', engineYear: 2025 },
    FACTORS
  ).deployment
)

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
      fc.integer({ min: 500, max: 15_000 }),
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
        // A diff of hundreds of windows would take minutes to print.
        const mirrored = split(requests.toReversed(), readings.toReversed())
        assert.ok(isDeepStrictEqual(mirrored, result), 'order changes the result')
        const drawn = energyCurve(readings).segments.reduce((sum, s) => sum + s.microjoules, 0)
        assert.equal(result.lines.meterMicrojoules, drawn)
        assert.ok(
          result.requests.every((row) => row.activeMicrojoules >= 0 && row.idleMicrojoules >= 0)
        )
        assert.ok(
          result.windows.every(
            (window) =>
              window.idleUnallocatedMicrojoules >= 0 && window.unattributedMicrojoules >= 0
          )
        )
      }
    ),
    { numRuns: 100, seed: 7, endOnFailure: true }
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
