import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../../../schemas/failure.ts'
import { coverageBetween, energyCurve, microjoulesBetween } from './energy-curve.ts'
import { parseExposition, parseQueryAnswer } from './exposition.ts'
import { energyUnitByRate, meterReadings, nvmlReading } from './meter-reading.ts'

const refused = (action: () => unknown): void =>
  assert.throws(
    action,
    (error: unknown) => error instanceof Failure && error.code === 'E_FACTOR_TABLE'
  )

const OLD = `# HELP DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION Total energy since boot (in mJ).
# TYPE DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION counter
DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{gpu="0",UUID="GPU-a",modelName="NVIDIA H100 80GB HBM3",Hostname="n1",pod="x"} %A%
DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{gpu="0",UUID="GPU-a",modelName="NVIDIA H100 80GB HBM3",Hostname="n1",pod="y, \\"z\\""} %A%
DCGM_FI_DEV_POWER_USAGE{gpu="0",UUID="GPU-a",Hostname="n1"} 412.5
DCGM_FI_DEV_POWER_VIOLATION{gpu="0",UUID="GPU-a",Hostname="n1"} 9
DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-a",Hostname="n1"} 90
`

const scrape = (text: string, values: readonly number[]) =>
  values.flatMap((value, index) =>
    meterReadings(parseExposition(text.replaceAll('%A%', String(value))), index * 10_000)
  )

test('the DCGM exporter is read under its old name in millijoules, copies on pods counted once', () => {
  const readings = scrape(OLD, [1_000_000, 5_000_000, 9_000_000])
  assert.equal(readings.filter(({ kind }) => kind === 'energy').length, 6)
  assert.deepEqual(new Set(readings.map(({ host }) => host)), new Set(['n1']))
  const curve = energyCurve(readings)
  assert.equal(microjoulesBetween(curve, 0, 20_000), 8000 * 1e6)
})

test('new names, labels and joules give the same energy; a name without a unit is judged by rate', () => {
  const text = OLD.replaceAll('Hostname', 'hostname')
  const joules = scrape(text, [1000, 5000, 9000])
  assert.equal(microjoulesBetween(energyCurve(joules), 0, 20_000), 8000 * 1e6)
  const renamed = text.replaceAll(
    'DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION',
    'DCGM_FI_DEV_TOTAL_ENERGY_JOULES'
  )
  const named = scrape(renamed, [1000, 5000, 9000])
  assert.equal(named[0]?.unit, 'J')
  assert.equal(microjoulesBetween(energyCurve(named), 0, 20_000), 8000 * 1e6)
})

test('a counter whose unit can not be told is refused, not guessed', () => {
  const still = scrape(OLD, [1000, 1000, 1000])
  assert.equal(energyUnitByRate(still.filter(({ kind }) => kind === 'energy')), null)
  refused(() => energyCurve(still.filter(({ kind }) => kind === 'energy')))
  const absurd = scrape(OLD, [0, 1e11, 2e11])
  refused(() => energyCurve(absurd.filter(({ kind }) => kind === 'energy')))
})

test('an upgrade of the exporter loses the span between the names, and an unnamed change is refused', () => {
  const at = (timeMs: number, value: number, unit: 'J' | 'mJ' | null) =>
    ({ host: 'h', gpu: 'g', gpuModel: null, timeMs, kind: 'energy', unit, value }) as const
  const upgraded = [
    at(0, 1_000_000, 'mJ'),
    at(1000, 1_300_000, 'mJ'),
    at(2000, 1_600, 'J'),
    at(3000, 1_900, 'J')
  ]
  const curve = energyCurve(upgraded)
  assert.equal(microjoulesBetween(curve, 0, 3000), 600 * 1e6)
  assert.equal(curve.lost.length, 1)
  refused(() => energyCurve(upgraded.map((reading) => ({ ...reading, unit: null }))))
  const both = [...upgraded.slice(0, 2), at(0, 1000, 'J'), at(1000, 1300, 'J')]
  assert.equal(microjoulesBetween(energyCurve(both), 0, 1000), 300 * 1e6)
})

test('limits and violations are no draw, and power is integrated by trapezoids', () => {
  const text = `DCGM_FI_DEV_POWER_USAGE{UUID="g",Hostname="h"} 100 0
DCGM_FI_DEV_POWER_USAGE{UUID="g",Hostname="h"} 300 1000
DCGM_FI_DEV_POWER_MGMT_LIMIT{UUID="g",Hostname="h"} 700 1000
nvidia_smi_power_draw_watts{uuid="k"} 50 1000
all_smi_energy_consumed_joules_total{host="h",scope="chassis"} 5 1000
`
  const readings = meterReadings(parseExposition(text))
  assert.deepEqual(
    readings.map(({ gpu, value }) => [gpu, value]),
    [
      ['g', 100],
      ['g', 300],
      ['k', 50]
    ]
  )
  const own = readings.filter(({ gpu }) => gpu === 'g')
  assert.equal(microjoulesBetween(energyCurve(own), 0, 1000), 200 * 1e6)
})

const gauge = (watts: readonly number[], modelName = 'NVIDIA H100 80GB HBM3') =>
  energyCurve(
    meterReadings(
      parseExposition(
        watts
          .map(
            (value, s) =>
              `DCGM_FI_DEV_POWER_USAGE{gpu="0",Hostname="a",modelName="${modelName}"} ${value} ${s * 1000}`
          )
          .join('\n')
      )
    )
  )

test('power below 0 or beyond what a board draws is missing; all of it beyond is another unit', () => {
  const joules = (watts: readonly number[], modelName?: string): number =>
    gauge(watts, modelName).segments.reduce((sum, { microjoules }) => sum + microjoules, 0) / 1e6
  assert.equal(joules([200, 200, -50, 200, 200]), 800, 'a reading below 0 takes nothing off')
  assert.equal(joules([200, 200, 65_535, 200, 200]), 800, 'a spike adds nothing')
  assert.throws(
    () => gauge([250_000, 251_000, 249_000]),
    (error: unknown) =>
      error instanceof Failure && error.code === 'E_FACTOR_TABLE' && /251000 W/.test(error.message)
  )
  // Of a board that is not known no limit is: a larger one than any today is taken at its word.
  assert.equal(joules([1800, 1800], 'NVIDIA X900'), 1800)
})

test('a reset loses the span it falls in and never gives negative energy', () => {
  const at = (timeMs: number, totalEnergyMj: number) =>
    nvmlReading({ host: 'h', gpuUuid: 'g', timeMs, totalEnergyMj })
  const curve = energyCurve([at(0, 5000), at(1000, 9000), at(2000, 100), at(3000, 700)])
  assert.equal(curve.lost.length, 1)
  assert.equal(microjoulesBetween(curve, 0, 3000), 4600 * 1e3)
  assert.equal(microjoulesBetween(curve, 1000, 2000), 0)
  assert.equal(coverageBetween(curve, 1000, 2000), 0)
})

test('windows telescope: parts of a span add up to the span whatever the cuts', () => {
  const curve = energyCurve(
    [0, 1000, 2000, 3100, 4000].map((timeMs, index) =>
      nvmlReading({ host: 'h', gpuUuid: 'g', timeMs, totalEnergyMj: index * 333 })
    )
  )
  const cuts = [0, 7, 999, 1000, 1777, 3000, 3333, 4000]
  const parts = cuts.slice(1).map((cut, index) => microjoulesBetween(curve, cuts[index] ?? 0, cut))
  assert.equal(
    parts.reduce((sum, part) => sum + part, 0),
    4 * 333 * 1000
  )
})

test('a Prometheus range answer reads like a scrape, and rubbish is refused', () => {
  const answer = {
    status: 'success',
    data: {
      resultType: 'matrix',
      result: [
        {
          metric: { __name__: 'DCGM_FI_DEV_POWER_USAGE', UUID: 'g', instance: 'n:9400' },
          values: [
            [1.5, '100'],
            [2.5, '100']
          ]
        }
      ]
    }
  }
  const readings = meterReadings(parseQueryAnswer(answer))
  assert.deepEqual(
    readings.map(({ host, timeMs }) => [host, timeMs]),
    [
      ['n:9400', 1500],
      ['n:9400', 2500]
    ]
  )
  refused(() => parseQueryAnswer({ data: [] }))
  refused(() => parseExposition('DCGM_FI_DEV_POWER_USAGE{UUID="g"'))
})
