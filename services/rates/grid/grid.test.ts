import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from '../../../schemas/failure.ts'
import { ANNUAL_INTENSITY, waterOffsiteLitresPerKwh } from './annual.ts'
import { addCarbon, carbonGrams, waterLitres } from './carbon.ts'
import { hourlyIntensity, parseHourlyCsv } from './hourly.ts'
import { firstIntensity, type IntensityQuery } from './intensity.ts'

const query = (change: Partial<IntensityQuery>): IntensityQuery => ({
  zone: null,
  timeMs: Date.parse('2026-03-01T10:20:00Z'),
  basis: 'location',
  ...change
})

test('the annual table answers by region, by country, by country of the region, then by world', () => {
  const cases = [
    [{ zone: 'FRA' }, 'FRA', false],
    [{ cloud: 'gcp', region: 'us-west4' }, 'USA', false],
    [{ cloud: 'aws', region: 'eu-north-1' }, 'SWE', true],
    [{ cloud: 'azure', region: 'Poland Central' }, 'POL', true],
    [{ cloud: 'aws', region: 'moon-1' }, 'WOR', true],
    [{}, 'WOR', true]
  ] as const
  for (const [change, zone, substituted] of cases) {
    const found = ANNUAL_INTENSITY.intensityAt(query(change))
    assert.equal(found?.zone, zone)
    assert.equal(found?.substitute !== null, substituted, JSON.stringify(change))
    assert.equal(found?.basis, 'location')
    assert.match(found?.source ?? '', /CC BY 4.0|MIT/)
  }
})

test('hourly figures win, a missing hour falls back, and a basis never stands in for the other', () => {
  const rows = parseHourlyCsv(
    'zone,ts,g_per_kwh,basis\nFRA,2026-03-01T10:00:00Z,20,location\nFRA,2026-03-01T10:00:00Z,3,market\n'
  )
  const providers = [hourlyIntensity('own', rows), ANNUAL_INTENSITY]
  const at = (time: string, basis: 'location' | 'market') =>
    firstIntensity(providers, query({ zone: 'FRA', timeMs: Date.parse(time), basis }))
  assert.equal(at('2026-03-01T10:59:59Z', 'location')?.gramsPerKwh, 20)
  assert.equal(at('2026-03-01T10:00:00Z', 'market')?.gramsPerKwh, 3)
  assert.equal(at('2026-03-01T11:00:00Z', 'location')?.resolution, 'annual')
  assert.equal(at('2026-03-01T11:00:00Z', 'market'), null)
  const wrong = { id: 'wrong', intensityAt: () => at('2026-03-01T10:00:00Z', 'location') }
  assert.equal(firstIntensity([wrong], query({ zone: 'FRA', basis: 'market' })), null)
})

test('a table that can not be read is refused with the line', () => {
  const refused = (csv: string) =>
    assert.throws(
      () => parseHourlyCsv(csv),
      (error: unknown) => error instanceof Failure && error.code === 'E_FACTOR_TABLE'
    )
  refused('zone,g\nFRA,1')
  refused('zone,ts,g_per_kwh,basis\nFRA,yesterday,20,location')
  refused('zone,ts,g_per_kwh,basis\nFRA,2026-03-01T10:00:00Z,-1,location')
  refused('zone,ts,g_per_kwh,basis\nFRA,2026-03-01T10:00:00Z,,location')
  refused('zone,ts,g_per_kwh,basis\nFRA,2026-03-01T10:00:00Z,20,')
})

test('carbon is energy times intensity, small values are kept, and bases are summed apart', () => {
  const location = ANNUAL_INTENSITY.intensityAt(query({ zone: 'SWE' }))
  assert.ok(location !== null)
  assert.equal(carbonGrams(3_600_000, location), location.gramsPerKwh)
  assert.ok(carbonGrams(0.36, location) > 0)
  const market = { ...location, basis: 'market' as const, gramsPerKwh: 1 }
  const totals = addCarbon(
    addCarbon({ location: 0, market: 0 }, 3_600_000, location),
    7_200_000,
    market
  )
  assert.deepEqual(totals, { location: location.gramsPerKwh, market: 2 })
})

test('water counts IT energy once: PUE multiplies the off-site part alone', () => {
  const litres = waterLitres(3_600_000, { onSiteLitresPerKwh: 1, offSiteLitresPerKwh: 2, pue: 1.5 })
  assert.equal(litres, 4)
  assert.equal(waterOffsiteLitresPerKwh('WOR'), 3.908)
  assert.equal(waterOffsiteLitresPerKwh('nowhere'), null)
})
