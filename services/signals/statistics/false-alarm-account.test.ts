import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRandom, type Random } from '../../../infra/worlds/random.ts'
import { openAccount, openMinute, type Account } from './false-alarm-account.ts'
import { alarmNats } from './false-alarm-budget.ts'
import { endBet, isAlarm, startBet, type Asked } from './rise-alarm.ts'
import { R, RISES, RISE_SHAPE } from './rise-record.ts'
import { judgeShares, type ShareEvent, type ShareSettings } from './share-incidents.ts'
import { sharesPart } from './state-parts.ts'
import { createShares, gather, shareSlot, type WatchedShares } from './watched-shares.ts'

const MINUTE_MS = 60_000
const DAY_MINUTES = 1440
const START_MS = Date.parse('2026-03-02T00:00:00Z')
const MONTH_MS = 30 * DAY_MINUTES * MINUTE_MS

const SETTINGS: ShareSettings = {
  falseFindingsPerTenantMonth: 0.004,
  armTrials: 50,
  armWindows: 5,
  effectMin: 0.01,
  tolerance: 0.15,
  earlyTolerance: 0.5,
  fullAfterDays: 7,
  recoveryNats: 6,
  acceptAfterDays: 7
}

/** Minutes with traffic, each the last and a gap that is short within a burst, long between two. */
const burst = function* (random: Random, months: number): Generator<number> {
  for (let ms = START_MS; ms < START_MS + months * MONTH_MS;) {
    yield ms
    const isOver = random.uniform() < 0.01
    ms += MINUTE_MS * (isOver ? random.integer(60, 5 * DAY_MINUTES) : random.integer(1, 4))
  }
}

test('stakes never sum to more than the time since the first, however traffic comes', () => {
  for (const seed of [1, 2, 3, 4]) {
    const random = createRandom(seed)
    const account = openAccount(START_MS)
    let staked = 0
    for (const ms of burst(random, 6)) {
      const series = random.integer(1, 12)
      openMinute(account, ms, { falseFindingsPerTenantMonth: 0.004, series })
      assert.ok(
        account.nats <= alarmNats(0.004, series) + 1e-9,
        'never asks for more than all minutes would'
      )
      account.starts = random.integer(0, series + 1)
      staked += account.starts * account.perStart
      assert.ok(staked <= (ms + MINUTE_MS - START_MS) / MONTH_MS + 1e-9)
    }
    assert.ok(staked > 0.3 * 6, `and are not hoarded: ${staked}`)
  }
})

/** Three fair bets on outcomes of a known share, as `rise-detector.ts` makes them. */
const SHARE = 0.1
const bet = (d: Float64Array, asked: Asked, { n, k }: { n: number; k: number }): void => {
  for (const [index, rise] of RISES.entries()) {
    const at = R.evidence + index
    if (d[at]! <= 0) startBet(d, 0, index, asked)
    const odds = (rise * SHARE) / (1 - SHARE)
    const raised = odds / (1 + odds)
    const nats = k * Math.log(raised / SHARE) + (n - k) * Math.log((1 - raised) / (1 - SHARE))
    d[at] = Math.max(0, d[at]!) + nats
    if (d[at]! <= 0) endBet(d, 0, index, asked)
  }
}

/** What bets hold, in parts of a month's budget. */
const heldBy = (d: Float64Array, budget: number): number => {
  let held = 0
  for (let index = 0; index < RISES.length; index++) {
    const evidence = d[R.evidence + index]!
    if (evidence > 0) held += Math.exp(evidence - d[R.asked + index]!) / RISES.length / budget
  }
  return held
}

/** Some months of one sparse tenant with nothing wrong: false findings, and all that it ever had. */
const calmMonths = (seed: number, { months, budget }: { months: number; budget: number }) => {
  const random = createRandom(seed)
  const account: Account = openAccount(START_MS)
  const open = (ms: number): void =>
    openMinute(account, ms, { falseFindingsPerTenantMonth: budget, series: 1 })
  const d = new Float64Array(RISE_SHAPE.doubles)
  let [found, spent] = [0, 0]
  for (const ms of burst(random, months)) {
    open(ms)
    const asked = { alarmNats: account.nats, ledger: account }
    bet(d, asked, { n: 1, k: Number(random.uniform() < SHARE) })
    if (!isAlarm(d, 0, asked)) continue
    found += 1
    spent += heldBy(d, budget)
    d.fill(0, R.evidence, R.evidence + RISES.length)
  }
  open(START_MS + months * MONTH_MS)
  return { found, had: spent + account.saved + heldBy(d, budget) }
}

test('2,400 months of sparse tenants with nothing wrong: no more false findings than are paid for', () => {
  const [tenants, months, budget] = [200, 12, 0.5]
  let [found, had] = [0, 0]
  for (let seed = 100; seed < 100 + tenants; seed++) {
    const calm = calmMonths(seed, { months, budget })
    found += calm.found
    had += calm.had
  }
  const time = tenants * months
  assert.ok(found <= time * budget, `${found} of ${time * budget}`)
  // Fair bets only move what time brought; what is beyond a month's is cut.
  assert.ok(had <= 1.05 * time && had >= 0.8 * time, `${had} of ${time} months' budgets`)
})

/** A tenant that is seen for an hour every ten days; in the last half hour a share rises. */
const visits = (minute: (shares: WatchedShares, ms: number) => WatchedShares): ShareEvent[] => {
  const random = createRandom(8)
  const told: ShareEvent[] = []
  let shares = createShares()
  for (let visit = 0; visit < 4; visit++) {
    for (let i = 0; i < (visit === 3 ? 30 : 60); i++) {
      const ms = START_MS + (visit * 10 * DAY_MINUTES + i) * MINUTE_MS
      shares = minute(shares, ms)
      let k = 0
      for (let call = 0; call < 10; call++)
        k += Number(random.uniform() < (visit === 3 ? 0.08 : 0.004))
      gather(shares, shareSlot(shares, ['acme', 'leaf'], ms), { n: 10, k, sums: [0, 0, 0] })
      told.push(...judgeShares(shares, ms, SETTINGS))
    }
  }
  return told
}

const saveAndRestore = (shares: WatchedShares): WatchedShares => {
  const { json, arrays } = sharesPart.save(shares)
  return sharesPart.restore(json, arrays, createShares())
}

test('what a tenant has left outlives a restart, and is what a rise of a sparse one is told by', () => {
  const through = visits((shares) => shares)
  assert.deepEqual(
    through.map(({ outcome }) => outcome),
    ['opened']
  )
  assert.deepEqual(visits(saveAndRestore), through)
  const forgotten = visits((shares) => {
    const own = saveAndRestore(shares)
    for (const tenant of own.slots.tenants.values()) tenant.account = null
    return own
  })
  assert.deepEqual(forgotten, [])
})

test('in which order series come within a minute changes nothing', () => {
  const run = (order: readonly string[]): Account => {
    const random = createRandom(4)
    const shares = createShares()
    for (let minute = 0; minute < 500; minute++) {
      const ms = START_MS + minute * MINUTE_MS
      const counts = new Map(['a', 'b', 'c'].map((name) => [name, random.integer(0, 3)]))
      for (const name of minute === 0 ? counts.keys() : order) {
        const slot = shareSlot(shares, ['acme', name], ms)
        gather(shares, slot, { n: 10, k: counts.get(name)!, sums: [0, 0, 0] })
      }
      judgeShares(shares, ms, SETTINGS)
    }
    return shares.slots.tenants.get('acme')!.account!
  }
  assert.deepEqual(run(['c', 'a', 'b']), run(['b', 'c', 'a']))
})
