import assert from 'node:assert/strict'
import { test } from 'node:test'
import { drawShareTenants, logit, playShare } from '../../../infra/worlds/bad-share.ts'
import { createRandom } from '../../../infra/worlds/random.ts'
import { alarmNats } from './false-alarm-budget.ts'
import { addRecord, recordBytes, type Records } from './records.ts'
import { inheritNone, riseChange, shareOf } from './rise-change.ts'
import { observeRise, startRise, type RiseOutcome, type RiseSettings } from './rise-detector.ts'
import { createRises, RISE_SHAPE } from './rise-record.ts'

const MINUTE_MS = 60_000
const DAY_MINUTES = 1440
const START_MS = Date.parse('2026-03-02T00:00:00Z')

const SETTINGS: RiseSettings = {
  alarmNats: alarmNats(0.004, 1),
  armTrials: 50,
  armWindows: 5,
  effectMin: 0.01,
  tolerance: 0.15,
  earlyTolerance: 0.5,
  fullAfterDays: 7,
  recoveryNats: 6,
  acceptAfterDays: 7
}

const fresh = (): Records => {
  const records = createRises()
  startRise(records, addRecord(records), START_MS)
  return records
}

const observe = (records: Records, minute: number, n: number, k: number): RiseOutcome => {
  const tally = { n, k, sums: [n, k, 0] as const }
  return observeRise(records, 0, { tally, ms: START_MS + minute * MINUTE_MS }, SETTINGS)
}

/** Ten calls a minute, of which a share goes wrong by chance. */
const play = (minutes: number, share: (minute: number) => number, seed = 1) => {
  const records = fresh()
  const random = createRandom(seed)
  const outcomes: { minute: number; outcome: RiseOutcome }[] = []
  for (let minute = 0; minute < minutes; minute++) {
    let k = 0
    for (let call = 0; call < 10; call++) k += Number(random.uniform() < share(minute))
    const outcome = observe(records, minute, 10, k)
    if (outcome !== 'nothing') outcomes.push({ minute, outcome })
  }
  return { records, outcomes }
}

const names = (outcomes: readonly { outcome: RiseOutcome }[]) =>
  outcomes.map(({ outcome }) => outcome)

test('a share that rises from 3 to 30 % on the first day is found within ten minutes, with its change point', () => {
  const records = fresh()
  const random = createRandom(5)
  let opened = -1
  for (let minute = 0; minute < 400 && opened < 0; minute++) {
    let k = 0
    for (let call = 0; call < 10; call++)
      k += Number(random.uniform() < (minute < 300 ? 0.03 : 0.3))
    if (observe(records, minute, 10, k) === 'opened') opened = minute
  }
  assert.ok(opened >= 305 && opened <= 312, `opened at ${opened}`)
  const { before, after } = riseChange(records, 0)
  assert.ok(Math.abs(after.fromMs - START_MS - 300 * MINUTE_MS) <= 2 * MINUTE_MS)
  assert.equal(before.n + after.n, (opened + 1) * 10)
  assert.equal(after.sums[1], after.k)
  assert.ok(shareOf(before) < 0.05 && shareOf(after) > 0.2)
})

test('five bad minutes can not fire, however bad', () => {
  const { outcomes } = play(3 * DAY_MINUTES, (minute) =>
    minute % 700 < 5 && minute > 100 ? 1 : 0.05
  )
  assert.deepEqual(outcomes, [])
})

test('a rise that ends resolves, and one that lasts for a week becomes the baseline', () => {
  const ended = play(1200, (minute) => (minute > 600 && minute < 700 ? 0.5 : 0.05))
  assert.deepEqual(names(ended.outcomes), ['opened', 'resolved'])
  const lasting = play(12 * DAY_MINUTES, (minute) => (minute < 600 ? 0.05 : 0.4))
  assert.deepEqual(names(lasting.outcomes), ['opened', 'accepted'])
})

test('a share that is high every evening is no finding once the hours are known', () => {
  const evening = (minute: number) => Math.floor(minute / 60) % 24 >= 18
  const { outcomes } = play(14 * DAY_MINUTES, (minute) => (evening(minute) ? 0.08 : 0.05))
  assert.deepEqual(outcomes, [])
})

test('calls that go wrong together count together: clusters of twenty need no other threshold', () => {
  const random = createRandom(9)
  const records = fresh()
  const outcomes = new Set<RiseOutcome>()
  for (let minute = 0; minute < 10 * DAY_MINUTES; minute++) {
    outcomes.add(observe(records, minute, 20, random.uniform() < 0.05 ? 20 : 0))
  }
  assert.deepEqual([...outcomes], ['nothing'])
})

test('weeks without traffic age nothing: what was known last still counts', () => {
  const records = fresh()
  const random = createRandom(3)
  const run = (from: number, share: number): RiseOutcome[] =>
    Array.from({ length: 30 }, (_, i) => {
      let k = 0
      for (let call = 0; call < 50; call++) k += Number(random.uniform() < share)
      return observe(records, from + i, 50, k)
    })
  run(0, 0.15)
  assert.ok(run(17 * DAY_MINUTES, 0.6).includes('opened'))
})

test('what was never seen among known trials is unusual at once', () => {
  const { records } = play(600, () => 0)
  const slot = addRecord(records)
  inheritNone(records, slot, 0)
  const outcomes = Array.from({ length: 20 }, (_, i) => {
    const tally = { n: 10, k: 5, sums: [0, 0, 0] as const }
    return observeRise(records, slot, { tally, ms: START_MS + (600 + i) * MINUTE_MS }, SETTINGS)
  })
  assert.ok(outcomes.indexOf('opened') >= 5 && outcomes.indexOf('opened') <= 10, outcomes.join(' '))
})

test('noisy tenants stay quiet for 15 days, and odds of ten are found within hours', () => {
  const world = { mood: 'noisy', share: 0.04, seed: 21 } as const
  const tenants = drawShareTenants(80, world).filter(
    ({ ratePerMinute }) => ratePerMinute > 1 && ratePerMinute < 10
  )
  const rise = { minute: 8 * DAY_MINUTES, odds: Math.exp(logit(0.3) - logit(0.04)) }
  const openedAt = (index: number, days: number, change: typeof rise | null): number => {
    const records = fresh()
    let opened = -1
    const run = { tenant: tenants[index]!, days, rise: change, seed: 70 + index }
    playShare(run, ({ minute, n, k }) => {
      if (observe(records, minute, n, k) === 'opened' && opened < 0) opened = minute
    })
    return opened
  }
  const delays: number[] = []
  for (let index = 0; index < 10; index++) {
    assert.equal(openedAt(index, 15, null), -1, `tenant ${index}`)
    delays.push(openedAt(index, 9, rise) - rise.minute)
  }
  delays.sort((a, b) => a - b)
  assert.ok(delays[0]! >= 0 && delays[5]! <= 180, delays.join(' '))
})

test('a record of a share leaves room for its name and more within 2 KB', () => {
  assert.ok(recordBytes(RISE_SHAPE) <= 1100, `${recordBytes(RISE_SHAPE)}`)
})
