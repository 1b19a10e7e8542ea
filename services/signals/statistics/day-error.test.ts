import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRandom } from '../../../infra/worlds/random.ts'
import { addDayError, createDayErrors, dayVariance } from './day-error.ts'
import { addRate, observeRate, type RateSettings } from './rate-detector.ts'
import { createRates } from './rate-record.ts'
import type { Records } from './records.ts'

const MINUTE_MS = 60_000
const DAY_MINUTES = 1440
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

const fresh = (): { rates: Records; days: Records } => {
  const [rates, days] = [createRates(), createDayErrors()]
  addRate(rates, START_MS)
  addDayError(days)
  return { rates, days }
}

type Play = { rate: (minute: number) => number; calls: number; every: number; days: number }

/** Plays calls that hit by chance; `isFollowed` says whether the detector is told how days stray. */
const play = ({ rate, calls, every, days: length }: Play, isFollowed = true) => {
  const { rates, days } = fresh()
  const random = createRandom(11)
  const opened: number[] = []
  for (let minute = 0; minute < length * DAY_MINUTES; minute += every) {
    let hits = 0
    for (let call = 0; call < calls; call++) hits += random.uniform() < rate(minute) ? 1 : 0
    const sample = { n: calls, w: 1000 * calls, h: 1000 * hits, ww: 1e6 * calls, x: hits, cost: 0 }
    const step = { sample, ms: START_MS + minute * MINUTE_MS, ...(isFollowed ? { days } : {}) }
    if (observeRate(rates, 0, step, SETTINGS) === 'opened') opened.push(minute)
  }
  return { opened, sd: Math.sqrt(dayVariance(days, 0)) }
}

const dayOf = (minute: number): number => Math.floor(minute / DAY_MINUTES)

test('days that stray are told from days that do not, and a thin series is believed to be ordinary', () => {
  const often = { calls: 8, every: 1, days: 30 }
  const straying = play({ ...often, rate: (at) => 0.7 + (dayOf(at) % 2 === 0 ? 0.03 : -0.03) })
  const steady = play({ ...often, rate: () => 0.7 })
  const thin = play({ calls: 1, every: 240, days: 30, rate: () => 0.7 })
  assert.ok(straying.sd > 0.022 && straying.sd < 0.045, `straying ${straying.sd}`)
  assert.ok(steady.sd < 0.012, `steady ${steady.sd}`)
  assert.ok(thin.sd > 0.013 && thin.sd < 0.017, `thin ${thin.sd}`)
})

test('a rate that sinks day by day is no collapse, and a fall by a sixth is found in it within a day', () => {
  const sinking = (minute: number): number => 0.92 - 0.02 * dayOf(minute)
  const ramp = { calls: 8, every: 1, days: 22, rate: sinking }
  assert.ok(play(ramp, false).opened.length > 0, 'a baseline that is believed is left behind')
  assert.deepEqual(play(ramp).opened, [])
  const fallMinute = 15 * DAY_MINUTES + 700
  const fall = (at: number): number => sinking(at) * (at < fallMinute ? 1 : 60 / 71)
  const [first] = play({ ...ramp, days: 17, rate: fall }).opened
  assert.ok(first !== undefined && first >= fallMinute, `opened at ${first}`)
  assert.ok(first - fallMinute < DAY_MINUTES, `after ${first - fallMinute} minutes`)
})

test('the longer a bet stands, the further the rate may have wandered since', () => {
  const days = createDayErrors()
  addDayError(days)
  assert.equal(Math.sqrt(dayVariance(days, 0)), 0.015)
  assert.equal(dayVariance(days, 0, 2), 2 * dayVariance(days, 0))
})
