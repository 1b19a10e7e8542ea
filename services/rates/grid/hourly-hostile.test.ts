import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hourlyIntensity, parseHourlyCsv } from './hourly.ts'
import { firstIntensity, type Intensity, type IntensityQuery } from './intensity.ts'
import { parseRfc3339 } from './rfc3339.ts'

const HEADER = 'zone,ts,g_per_kwh,basis'
const HOUR_MS = 3_600_000

const rowsOf = (...lines: string[]) => parseHourlyCsv([HEADER, ...lines, ''].join('\n'))

const refused = (message: RegExp, ...lines: string[]): void => {
  assert.throws(() => rowsOf(...lines), { code: 'E_FACTOR_TABLE', message })
}

const at = (csv: readonly string[], time: string, basis: 'location' | 'market' = 'location') =>
  hourlyIntensity('own', rowsOf(...csv)).intensityAt({
    zone: 'DEU',
    timeMs: Date.parse(time),
    basis
  })?.gramsPerKwh ?? null

test('an hour has one figure: repeats are one, contradictions are refused with both lines', () => {
  const line = 'DEU,2026-03-01T10:00:00Z,300,location'
  assert.equal(rowsOf(line, line).length, 1)
  refused(
    /lines 2 and 4: DEU has 300 and 310 g\/kWh \(location\)/,
    line,
    '',
    line.replace('300', '310')
  )
  // The same hour, told with another offset.
  refused(/lines 2 and 3/, line, 'DEU,2026-03-01T11:00:00+01:00,1,location')
  assert.equal(rowsOf(line, line.replace('location', 'market')).length, 2)
  refused(/not the start of an hour/, 'DEU,2026-03-01T10:30:00Z,300,location')
})

test('the hour that is there twice in October and the one that is not in March are two and none', () => {
  const october = [
    'DEU,2026-10-25T02:00:00+02:00,10,location',
    'DEU,2026-10-25T02:00:00+01:00,20,location'
  ]
  assert.equal(at(october, '2026-10-25T00:59:59Z'), 10)
  assert.equal(at(october, '2026-10-25T01:00:00Z'), 20)
  const march = [
    'DEU,2026-03-29T01:00:00+01:00,30,location',
    'DEU,2026-03-29T03:00:00+02:00,40,location'
  ]
  assert.equal(at(march, '2026-03-29T00:30:00Z'), 30)
  assert.equal(at(march, '2026-03-29T01:30:00Z'), 40)
  // Without an offset nobody knows which of the two is meant, and the machine's clock must not say.
  refused(/tells no offset from UTC/, 'DEU,2026-10-25T02:00:00,10,location')
})

test('a missing hour is not known, and the hour before does not stand in', () => {
  const csv = ['DEU,2026-03-01T10:00:00Z,300,location', 'DEU,2026-03-01T12:00:00Z,280,location']
  assert.equal(at(csv, '2026-03-01T11:00:00Z'), null)
  assert.equal(at(csv, '2026-03-01T10:00:00Z', 'market'), null)
})

test('an intensity is a number that a grid can have; 0 is one, nothing is none', () => {
  for (const grams of ['-1', 'NaN', 'Infinity', '', '0x10', '1e', '300g', 'null']) {
    refused(/line 2: the intensity is no number/, `DEU,2026-03-01T10:00:00Z,${grams},location`)
  }
  refused(/no grid emits more than 3000/, 'DEU,2026-03-01T10:00:00Z,350000,location')
  assert.equal(rowsOf('DEU,2026-03-01T10:00:00Z,0,location')[0]?.gramsPerKwh, 0)
})

test('lines that are cut or too long, and files that are no table, are refused', () => {
  refused(/not 4 cells/, 'DEU,2026-03-01T10:00:00Z,300')
  refused(/not 4 cells/, 'DEU,2026-03-01T10:00:00Z,300,5,location')
  refused(/basis is neither/, 'DEU,2026-03-01T10:00:00Z,300,loc')
  refused(/no zone/, ',2026-03-01T10:00:00Z,300,location')
  refused(/the time is none/, '300,DEU,2026-03-01T10:00:00Z,location')
  refused(/header and no rows/)
  for (const text of [
    '',
    `\u001F\uFFFD${'x'.repeat(1e6)}`,
    'DEU,2026-03-01T10:00:00Z,300,location'
  ]) {
    assert.throws(
      () => parseHourlyCsv(text),
      ({ message }: Error) => /intensity table starts with/.test(message) && message.length < 200
    )
  }
  assert.equal(parseHourlyCsv(`\uFEFF${HEADER}\r\nDEU,2026-03-01T10:00:00Z,3,market\r\n`).length, 1)
})

test('a provider that answers what is no intensity is named, not summed up', () => {
  const query: IntensityQuery = { zone: 'DEU', timeMs: HOUR_MS, basis: 'location' }
  const answers = (gramsPerKwh: number): (() => Intensity | null) => {
    const intensityAt = (): Intensity => ({
      gramsPerKwh,
      zone: 'DEU',
      basis: 'location',
      resolution: 'hourly',
      source: 'plug-in',
      substitute: null
    })
    return () => firstIntensity([{ id: 'plug-in', intensityAt }], query)
  }
  for (const grams of [Number.NaN, -1, Infinity, 1e9]) {
    assert.throws(answers(grams), { code: 'E_FACTOR_TABLE', message: /plug-in answers .* for DEU/ })
  }
  assert.equal(answers(0)()?.gramsPerKwh, 0)
})

test('times are those of RFC 3339, and a date that there is not is none', () => {
  const same = ['2026-03-01T10:00:00Z', '2026-03-01t12:00:00.000+02:00', '2026-03-01 04:30-0530']
  for (const text of same) assert.equal(parseRfc3339(text), Date.UTC(2026, 2, 1, 10), text)
  assert.equal(parseRfc3339('2024-02-29T00:00:00.5Z'), Date.UTC(2024, 1, 29) + 500)
  const none =
    '|2026|2026-03-01|March 1|2026-03-01T10:00:00|2026-3-1T10:00:00Z|2026-02-29T10:00:00Z|' +
    '2026-13-01T10:00:00Z|2026-03-01T24:00:00Z|2026-03-01T10:60:00Z|2026-03-01T10:00:00+24:00|' +
    '0000-00-00T00:00:00Z'
  for (const text of none.split('|')) assert.equal(parseRfc3339(text), null, text)
})
