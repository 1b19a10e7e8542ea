import assert from 'node:assert/strict'
import { test } from 'node:test'
import { energyCurve } from './energy-curve.ts'
import type { MeterReading, MeterUnit } from './meter-reading.ts'
import { parseMeterText } from './meter-text.ts'

const START = '2026-03-01T10:00:00Z'
const START_MS = Date.parse(START)
const HEAD = 'time,host,gpu,energy_j\n'

const refused = (text: string, message: RegExp, nowMs: number | null = null): void => {
  assert.throws(() => parseMeterText(text, { nowMs }), { code: 'E_FACTOR_TABLE', message })
}

test('a table that was cut, shifted or has no header is refused with its line', () => {
  refused('', /is empty/)
  refused(' \n', /is empty/)
  refused(`${HEAD}${START},h,0,1\n${START},h\n`, /line 3 has 2 cells, and the header 4/)
  refused(`${HEAD}${START},h,"NVIDIA H100, 80GB",1\n`, /line 2 has 5 cells/)
  refused(`${START},h,0,1\n`, /has the columns 2026/)
  refused('timestamp, power.draw [W]\n2026/03/01 10:00:00, 70 W\n', /power\.draw/)
  refused('time,host,gpu,energy_j,energy_j\n', /two columns energy_j/)
  refused(`time,host,gpu,unit,value\n${START},h,0,5000,mJ\n`, /line 2: the unit "5000"/)
})

test('a last line without an end may be cut within a number: it is left out, and told', () => {
  const { readings, ignored } = parseMeterText(`${HEAD}${START},h,0,126000\n${START},h,0,129`)
  assert.deepEqual(
    readings.map(({ value }) => value),
    [126_000]
  )
  assert.match(ignored.join(), /line 3, which no line break ends/)
  refused(`${HEAD}${START},h,0,126000`, /no rows; left out: line 2/)
  refused(`DCGM_FI_DEV_POWER_USAGE{Hostname="h"} 30`, /cut within a line/)
})

test('a byte order mark, CRLF and empty lines change nothing; empty cells are told, not 0', () => {
  const text = `\uFEFFtime,host,gpu,energy_j,power_w\r\n${START},h,0,5,\r\n\r\n`
  const { readings, ignored } = parseMeterText(text)
  assert.deepEqual(
    readings.map(({ kind, value }) => [kind, value]),
    [['energy', 5]]
  )
  assert.deepEqual(ignored, ['1 empty cells'])
  const scrape = `\uFEFFDCGM_FI_DEV_POWER_USAGE{Hostname="h"} 30 ${START_MS}\r\n`
  assert.equal(parseMeterText(scrape).readings.length, 1)
})

test('a number is a number: no hexadecimal, no words, no empty value, no sign below 0', () => {
  for (const cell of ['0x1F', 'Infinity', 'NaN', '-1', '70 W', '1_000', '[N/A]', '1e999']) {
    refused(`${HEAD}${START},h,0,${cell}\n`, /line 2: .* is no reading/)
  }
  const answer = (value: string): string =>
    JSON.stringify({
      data: {
        result: [
          {
            metric: { __name__: 'DCGM_FI_DEV_POWER_USAGE', host: 'h' },
            value: [START_MS / 1e3, value]
          }
        ]
      }
    })
  refused(answer(''), /the value "" of DCGM_FI_DEV_POWER_USAGE/)
  refused(`DCGM_FI_DEV_POWER_USAGE{Hostname="h"} abc ${START_MS}\n`, /not a Prometheus sample/)
})

test('values of a meter that are no draw are counted among what was left out', () => {
  const line = (value: string): string =>
    `DCGM_FI_DEV_POWER_USAGE{Hostname="h",gpu="0"} ${value} ${START_MS}\n`
  const { readings, ignored } = parseMeterText(['70', 'NaN', '-3', '+Inf'].map(line).join(''))
  assert.equal(readings.length, 1)
  assert.deepEqual(ignored, ['3 values of DCGM_FI_DEV_POWER_USAGE that are no reading'])
})

test('a unit a million times as large is not taken for the small one', () => {
  refused(`time,host,gpu,energy_MJ\n${START},h,0,1\n`, /energy_MJ/)
  for (const unit of ['MJ', 'MW', 'Mj', 'kJ', 'kWh', 'Wh']) {
    refused(`time,host,gpu,value,unit\n${START},h,0,1,${unit}\n`, RegExp(`"${unit}"`))
  }
})

test('a time that can not be is refused: of another unit, without an offset, ahead of now', () => {
  const at = (time: string): string => `${HEAD}${time},h,0,1\n`
  refused(at('2026-03-01T10:00:00'), /can not be read/)
  refused(at('2026-02-30T10:00:00Z'), /can not be read/)
  refused(at('5000'), /1970-01-01/)
  refused(at(`${START_MS}000`), /which can not be/)
  refused(at(`${START_MS}000000`), /ms since the epoch/)
  // Seconds in a scrape, which counts in milliseconds.
  refused(`DCGM_FI_DEV_POWER_USAGE{Hostname="h"} 30 ${START_MS / 1000}\n`, /1970-01-21/)
  refused(at('2026-03-01T12:00:00Z'), /2026-03-01T12:00:00.000Z, which can not be/, START_MS)
  assert.equal(
    parseMeterText(at('2026-03-01T10:59:00+01:00'), { nowMs: START_MS }).readings[0]?.timeMs,
    START_MS - 60_000
  )
})

test('two GPUs that are not told apart are refused, copies of one reading are not', () => {
  const at = (second: number, watts: number): string => `2026-03-01T10:00:0${second}Z,h,${watts}\n`
  const head = 'time,host,power_w\n'
  refused(`${head}${at(0, 100)}${at(0, 300)}`, /reads 100 and 300 at .* names no GPU/)
  assert.equal(parseMeterText(`${head}${at(0, 100)}${at(0, 100)}${at(1, 90)}`).readings.length, 3)
})

/** Readings ten seconds apart, of a board of 700 W, or of one that is not known. */
const curve = (
  unit: MeterUnit,
  values: readonly number[],
  gpuModel: string | null = 'NVIDIA H100'
) =>
  energyCurve(
    values.map((value, index): MeterReading => {
      const kind = unit === 'J' || unit === 'mJ' ? 'energy' : 'power'
      return { host: 'h', gpu: 'g', gpuModel, timeMs: START_MS + index * 10_000, kind, unit, value }
    })
  )

const growing = (step: number): number[] => Array.from({ length: 13 }, (_, index) => index * step)
const joulesOf = ({ segments }: ReturnType<typeof curve>): number =>
  segments.reduce((sum, { microjoules }) => sum + microjoules / 1e6, 0)

test('a counter or gauge in another unit than it says is refused, whether its board is known or not', () => {
  const wrong = (unit: MeterUnit, values: number[], model?: string | null): void => {
    assert.throws(() => curve(unit, values, model), {
      code: 'E_FACTOR_TABLE',
      message: /g on h reads .*, and a board like it draws 2 to/
    })
  }
  for (const model of ['NVIDIA H100', null]) {
    wrong('J', growing(3_000_000), model)
    wrong('mJ', growing(3000), model)
    wrong('W', Array<number>(13).fill(300_000), model)
    wrong('W', Array<number>(13).fill(0.3), model)
    assert.equal(joulesOf(curve('J', growing(3000), model)), 36_000)
    assert.equal(joulesOf(curve('mJ', growing(3_000_000), model)), 36_000)
  }
})

test('a counter that jumps, wraps or starts anew loses those spans alone', () => {
  const values = growing(3000)
  const glitch = values.map((value, index) => (index === 5 ? value + 1e9 : value))
  assert.equal(joulesOf(curve('J', glitch)), 10 * 3000)
  assert.equal(curve('J', glitch).lost.length, 2)
  const wrapped = growing(3_000_000).map((value) => (2 ** 32 - 20_000_000 + value) % 2 ** 32)
  assert.equal(joulesOf(curve('mJ', wrapped)), 11 * 3000)
  const shifted = values.map((value, index) => (index > 5 ? value + 1e9 : value))
  assert.equal(joulesOf(curve('J', shifted)), 11 * 3000)
})

test('a counter that stands still draws nothing, and is no other unit', () => {
  assert.equal(joulesOf(curve('J', Array<number>(13).fill(5000))), 0)
})
