import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import {
  diurnalMinute,
  drawDiurnalTenants,
  playDiurnal,
  type DiurnalRun,
  type DiurnalTenant
} from '../../../infra/worlds/diurnal.ts'
import type { Draft, Minute } from '../define.ts'
import { recordBytes } from '../statistics/records.ts'
import { hoursText } from './clock.ts'
import { SHAPE } from './state.ts'
import signal from './signal.ts'

/** A Monday. */
const START_MS = Date.parse('2026-03-02T00:00:00Z')
const MINUTE_MS = 60_000
const MINUTES_PER_DAY = 1440
const RATES = new URL('../../../../shared/data/servegen/m-small.rates.csv.gz', import.meta.url)
const real = existsSync(RATES) ? {} : { skip: 'ServeGen is not beside the checkout' }

const minutesOf = (run: DiurnalRun): Minute[] => {
  const minutes: Minute[] = []
  playDiurnal(run, (one) => minutes.push(diurnalMinute(START_MS, one)))
  return minutes
}

const firing = (minutes: readonly Minute[]): Draft[] => {
  const fold = signal.open()
  return minutes.flatMap((minute) => fold.fold(minute)).filter(({ status }) => status === 'firing')
}

/** Volume of a real client by minute, against its mean: windows of ten minutes over 14 days. */
const realVolumes = (clients: number): ((minute: number) => number)[] => {
  const rates = new Map<string, Float64Array>()
  const lines = gunzipSync(readFileSync(RATES)).toString('utf8').trim().split('\n').slice(1)
  for (const line of lines) {
    const [client, start, rate] = line.split(',') as [string, string, string]
    const known = rates.get(client) ?? new Float64Array(14 * 144)
    rates.set(client, known)
    known[Number(start) / 600] = Number(rate)
  }
  // Clients with traffic nearly all the time: of the others there is no wave to learn.
  const steady = [...rates.values()].filter((rate) => rate.filter((one) => one > 0).length > 1900)
  return steady.slice(0, clients).map((rate) => {
    const mean = rate.reduce((sum, one) => sum + one, 0) / rate.length
    return (minute) => (rate[Math.floor(minute / 10)] ?? 0) / mean
  })
}

const [DRAWN] = drawDiurnalTenants(1, 4)
const TENANT: DiurnalTenant = { ...DRAWN!, callsPerMinute: 3, latencySwing: 0.3, dayWalk: 0.01 }

test(
  'thirteen days of real clients, slower when busy, are no finding; a change in them is',
  real,
  () => {
    const delays: number[] = []
    for (const [seed, volume] of realVolumes(3).entries()) {
      const tenant = { ...TENANT, callsPerMinute: 1.5 }
      const run = { tenant, startMs: START_MS, days: 13, change: null, seed, volume }
      assert.deepEqual(firing(minutesOf(run)), [], `client ${seed}`)
      const minute = 11 * MINUTES_PER_DAY + 200
      const change = { minute, latency: 2.4, throttled: 1, failed: 1 }
      for (const { scope, after, detected_at } of firing(minutesOf({ ...run, change }))) {
        assert.equal(scope['what'], 'latency', `client ${seed}`)
        assert.equal(after['cause'], 'change')
        delays.push((Date.parse(detected_at) - START_MS) / MINUTE_MS - minute)
      }
    }
    // A client whose surges explain as much within two days is not told of.
    assert.ok(delays.length >= 1 && delays.every((delay) => delay > 0), delays.join(' '))
  }
)

test('quality that follows the clock is told as the clock, with the hours that mislead', () => {
  const tenant = { ...TENANT, callsPerMinute: 1, failedShare: 0.05, failedWave: 4, phase: 0.5 }
  const run = { tenant, startMs: START_MS, days: 25, change: null, seed: 2 }
  const [found, ...rest] = firing(minutesOf(run))
  assert.equal(found?.after['cause'], 'clock')
  assert.equal(found!.severity, 'info')
  assert.deepEqual(rest, [])
  // The worst hour is noon.
  assert.match(String(found!.after['hours_utc']), /\b(9|10|11|8)-(13|14|15|16)\b/)
  assert.match(String(found!.before['hours_utc']), /\b0-\d/)
  const [carrier, ...others] = found!.contributors
  assert.deepEqual(others, [])
  assert.equal(carrier?.['tenant'], found!.tenant)
  assert.equal(carrier?.['bad_at_bad_hours_pct'], found!.after['bad_pct'])
  // Eight hours of some 60 calls, of which a tenth and more fail that would not at night.
  const excess = Number(carrier?.['excess_bad_per_day'])
  assert.ok(excess > 20 && excess < 200, `${excess}`)
})

test('a restart neither repeats nor loses a change', () => {
  const change = { minute: 9 * MINUTES_PER_DAY, latency: 3, throttled: 1, failed: 1 }
  const minutes = minutesOf({
    tenant: { ...TENANT, callsPerMinute: 1 },
    startMs: START_MS,
    days: 9.3,
    change,
    seed: 6
  })
  const through = signal.open()
  const all = minutes.flatMap((minute) => through.fold(minute))
  assert.ok(all.length > 0)
  const at = minutes.findIndex(({ startMs }) => startMs >= START_MS + change.minute * MINUTE_MS)
  for (const cut of [at - 3000, at + 40]) {
    const first = signal.open()
    const before = minutes.slice(0, cut).flatMap((minute) => first.fold(minute))
    const second = signal.open({}, first.save())
    const after = minutes.slice(cut).flatMap((minute) => second.fold(minute))
    assert.deepEqual([...before, ...after], all)
    assert.deepEqual(second.save(), through.save())
  }
})

test('hours are written as runs', () => {
  assert.equal(hoursText([23, 0, 1, 2, 22, 7]), '0-2 7 22-23')
})

test('a share is remembered in two kilobytes', () => {
  assert.ok(recordBytes(SHAPE) <= 2048, `${recordBytes(SHAPE)} bytes`)
})
