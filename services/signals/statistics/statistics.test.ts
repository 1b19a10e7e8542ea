import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRandom } from '../../../infra/worlds/random.ts'
import { drawTenants, playTenant, type Change } from '../../../infra/worlds/hit-rate.ts'
import { expectedRate, hourOfWeek } from './baseline.ts'
import { pack, recordArrays, recordsFrom, unpack } from './checkpoint.ts'
import { alarmNats } from './false-alarm-budget.ts'
import { rateChange, rateOf } from './rate-change.ts'
import { addRate, observeRate, type Outcome, type RateSettings } from './rate-detector.ts'
import { createRates, D, RATE_SHAPE } from './rate-record.ts'
import { recordBytes, type Records } from './records.ts'

const MINUTE_MS = 60_000
const DAY_MINUTES = 1440
/** A Monday. */
const START_MS = Date.parse('2026-03-02T00:00:00Z')

const SETTINGS: RateSettings = {
  alarmNats: 16,
  earlyAlarmNats: 12,
  armWindows: 20,
  fullAfterDays: 7,
  slowTolerance: 0.03,
  fastTolerance: 0.05,
  effectMin: 0.04,
  recoveryNats: 6,
  acceptAfterDays: 7
}

/** One request of 1,000 tokens a minute with the given share served. */
const observe = (records: Records, minute: number, share: number): Outcome =>
  observeRate(
    records,
    0,
    {
      sample: { n: 4, w: 4000, h: 4000 * share, ww: 4_000_000, x: 4 * share, cost: 0 },
      ms: START_MS + minute * MINUTE_MS
    },
    SETTINGS
  )

const fresh = (): Records => {
  const records = createRates()
  addRate(records, START_MS)
  return records
}

const play = (minutes: number, share: (minute: number) => number) => {
  const records = fresh()
  const outcomes: { minute: number; outcome: Outcome }[] = []
  for (let minute = 0; minute < minutes; minute++) {
    const outcome = observe(records, minute, share(minute))
    if (outcome !== 'nothing') outcomes.push({ minute, outcome })
  }
  return { records, outcomes }
}

test('a collapse on the first day is found by the dependence-free test, with its change point', () => {
  const records = fresh()
  let opened = -1
  for (let minute = 0; minute < 100 && opened < 0; minute++) {
    if (observe(records, minute, minute < 60 ? 0.75 : 0) === 'opened') opened = minute
  }
  assert.ok(opened >= 72 && opened <= 76, `opened at ${opened}`)
  const { before, after } = rateChange(records, 0)
  assert.equal(after.fromMs, START_MS + 60 * MINUTE_MS)
  assert.equal(rateOf(before), 0.75)
  assert.equal(rateOf(after), 0)
  assert.equal(before.n, 60 * 4)
})

test('midnight in the first hour changes nothing: a few minutes are not taken for a day', () => {
  const openedAfter = (start: number): number => {
    const records = createRates()
    addRate(records, START_MS + start * MINUTE_MS)
    for (let minute = 0; minute < 200; minute++) {
      const share = minute < 31 ? 0.71 : 0.18
      if (observe(records, start + minute, share) === 'opened') return minute
    }
    return -1
  }
  const atNoon = openedAfter(720)
  assert.ok(atNoon > 31)
  for (const start of [1380, 1405, 1420]) assert.equal(openedAfter(start), atNoon, `from ${start}`)
})

test('four minutes without a hit can not fire, however well the series is known', () => {
  const { outcomes } = play(9 * DAY_MINUTES, (minute) => (minute % 1000 < 4 ? 0 : 0.7))
  assert.deepEqual(outcomes, [])
})

test('a drop that ends resolves, and the same series can open again', () => {
  const low = (minute: number) => (minute > 60 && minute < 120) || minute > 300
  const { outcomes } = play(400, (minute) => (low(minute) ? 0.05 : 0.8))
  assert.deepEqual(
    outcomes.map(({ outcome }) => outcome),
    ['opened', 'resolved', 'opened']
  )
  assert.ok(outcomes[1]!.minute >= 120 && outcomes[1]!.minute < 150)
})

test('a drop that lasts for a week becomes the baseline', () => {
  const { records, outcomes } = play(12 * DAY_MINUTES, (minute) => (minute < 200 ? 0.8 : 0.3))
  assert.deepEqual(
    outcomes.map(({ outcome }) => outcome),
    ['opened', 'accepted']
  )
  const expected = expectedRate(records, 0, 0, START_MS + 12 * DAY_MINUTES * MINUTE_MS)
  assert.ok(Math.abs(expected - 0.3) < 0.01)
})

test('a series that arrives collapsed and recovers is learned anew: its next fall is found within the hour', () => {
  const recovered = DAY_MINUTES + 600
  const collapse = 3 * DAY_MINUTES
  const low = (minute: number) => minute < recovered || minute >= collapse
  const random = createRandom(5)
  const share = (minute: number) => (low(minute) ? 0.18 : 0.71) + 0.2 * (random.uniform() - 0.5)
  const { outcomes } = play(collapse + 120, share)
  assert.deepEqual(
    outcomes.map(({ outcome }) => outcome),
    ['opened']
  )
  assert.ok(outcomes[0]!.minute - collapse < 60, `${outcomes[0]!.minute - collapse} minutes`)
})

test('the hour of day is learned, and a nightly dip is no finding', () => {
  const night = (minute: number) => Math.floor(minute / 60) % 24 < 6
  const { records, outcomes } = play(14 * DAY_MINUTES, (minute) => (night(minute) ? 0.6 : 0.8))
  assert.deepEqual(outcomes, [])
  const at = (hour: number) => expectedRate(records, 0, 0, START_MS + (14 * 24 + hour) * 3_600_000)
  assert.ok(at(3) < 0.65 && at(12) > 0.75, `${at(3)} ${at(12)}`)
})

test('after three weeks the weekend has its own expectation', () => {
  const weekend = (minute: number) => Math.floor(minute / DAY_MINUTES) % 7 >= 5
  const { records } = play(70 * DAY_MINUTES, (minute) => (weekend(minute) ? 0.72 : 0.78))
  const noon = (day: number) => expectedRate(records, 0, 0, START_MS + (70 + day) * 86_400_000)
  assert.equal(hourOfWeek(START_MS), 0)
  assert.ok(noon(0) - noon(5) > 0.02, `${noon(0)} ${noon(5)}`)
})

test('with n_eff at most 1 false alarms keep to the budget for any noise of the right mean', () => {
  const alarms = { count: 0 }
  const windows = 40 * 4000
  for (let series = 0; series < 40; series++) {
    const random = createRandom(series)
    const records = fresh()
    // All or nothing is the worst noise that a rate of mean 0.7 can have.
    for (let minute = 0; minute < 4000; minute++) {
      const run = random.uniform() < 0.7 ? 1 : 0
      const settings = { ...SETTINGS, fullAfterDays: 1000, earlyAlarmNats: 8 }
      const sample = { n: 1, w: 1000, h: 1000 * run, ww: 1_000_000, x: run, cost: 0 }
      const step = { sample, ms: START_MS + minute * MINUTE_MS }
      if (observeRate(records, 0, step, settings) === 'opened') alarms.count += 1
    }
  }
  // e⁸ windows between alarms, for a null five points below the mean.
  assert.ok(alarms.count <= windows / Math.exp(8), `${alarms.count} alarms`)
})

test('noisy tenants stay quiet for 20 days, and a fall from 71 to 18 % is found within the hour', () => {
  const tenants = drawTenants(60, 'noisy', 3).filter(
    ({ ratePerMinute }) => ratePerMinute > 2 && ratePerMinute < 15
  )
  const run = (index: number, days: number, change: Change | null) => {
    const records = fresh()
    let opened = -1
    playTenant({ tenant: tenants[index]!, days, change, seed: 40 + index }, (window) => {
      const sample = { ...window, cost: 0 }
      const step = { sample, ms: START_MS + window.minute * MINUTE_MS }
      if (observeRate(records, 0, step, SETTINGS) === 'opened' && opened < 0) {
        opened = window.minute
      }
    })
    return opened
  }
  const change = { minute: 8 * DAY_MINUTES + 700, factor: 18 / 71 }
  const delays: number[] = []
  for (let index = 0; index < 10; index++) {
    assert.equal(run(index, 20, null), -1, `tenant ${index}`)
    delays.push(run(index, 9, change) - change.minute)
  }
  delays.sort((a, b) => a - b)
  assert.ok(delays[0]! >= 0 && delays[5]! <= 60, delays.join(' '))
})

test('a record of a series leaves room for its name within 2 KB, and comes back from its bytes bit by bit', () => {
  assert.ok(recordBytes(RATE_SHAPE) <= 1900, `${recordBytes(RATE_SHAPE)}`)
  const { records } = play(300, (minute) => (minute % 7) / 10)
  const { header, arrays } = unpack(pack({ size: records.size }, recordArrays(records)))
  const back = recordsFrom(RATE_SHAPE, (header as { size: number }).size, arrays)
  assert.deepEqual(recordArrays(back), recordArrays(records))
  assert.equal(back.doubles[D.windows], 300)
})

test('a budget in false findings is evidence in nats, shared among the series of a tenant', () => {
  assert.ok(Math.abs(alarmNats(0.01, 1) - 15.28) < 0.01)
  assert.ok(Math.abs(alarmNats(0.01, 6) - alarmNats(0.01, 1) - Math.log(6)) < 1e-9)
})
