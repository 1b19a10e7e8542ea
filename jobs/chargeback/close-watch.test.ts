import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readFindings } from '../alert/findings.ts'
import { bookWith, loadBook } from '../../services/rates/prices/book.ts'
import { parseContracts } from '../../services/rates/prices/contracts.ts'
import { bookDue } from './book.ts'
import { closedMonths } from './closes.ts'
import { closeByClock } from './close-watch.ts'
import { callAt, openChargeTest } from './fixtures/charge-site.ts'
import { parseMonth } from './month.ts'
import { NO_RULES } from './rules.ts'

const own = parseContracts(
  'models: [{ provider: anthropic, model: model-a, usd_per_million: { in: 1, out: 1 } }]'
)
const prices = bookWith(await loadBook(), own)
const books = { contracted: prices, list: prices }
const at = (time: string): number => Date.parse(`${time}T00:00:00Z`)
const call = (time: string) => callAt(time, time, { tokens: { in_uncached: 2_000_000 } })

const open = async (t: Parameters<typeof openChargeTest>[0]) => {
  const site = await openChargeTest(t, prices)
  const look = async (now: string, { freeze = false, closedUntil = now } = {}) => {
    const reports = await closeByClock(site, {
      books,
      rules: NO_RULES,
      closedUntilMs: at(closedUntil),
      nowMs: at(now),
      clock: { day: 3, freeze }
    })
    return reports.map(({ month, closed }) => `${month} ${closed ? 'closed' : 'open'}`)
  }
  const told = async () =>
    (await readFindings(site, { open: false })).map(
      ({ fingerprint, status, severity, summary }) =>
        `${fingerprint} ${status} ${severity}: ${summary}`
    )
  return { site, look, told }
}

describe('closing by the clock', () => {
  test('without freezing, a month is told of from its day on, once, until it is closed', async (t) => {
    const { site, look, told } = await open(t)
    await site.settle([call('2026-10-05T10:00:00Z')])
    assert.deepEqual(await look('2026-11-02'), [])
    assert.deepEqual(await look('2026-11-03', { closedUntil: '2026-10-31' }), ['2026-10 open'])
    assert.deepEqual(await look('2026-11-03', { closedUntil: '2026-10-31' }), ['2026-10 open'])
    assert.deepEqual(await look('2026-11-04'), ['2026-10 open'])
    assert.deepEqual(closedMonths(await site.lake.head()), [])
    await site.close('2026-10')
    assert.deepEqual(await look('2026-11-05'), [])
    assert.deepEqual(await told(), [
      'month-close/2026-10 firing warning: 2026-10 can not be closed: hours: 720/744 hours closed and settled, 1 of them with events.',
      'month-close/2026-10 firing info: 2026-10 can be closed: bill $2.00. Look at the checklist, then tally close 2026-10.',
      'month-close/2026-10 resolved info: 2026-10 is closed.'
    ])
  })

  test('with freezing, what passes is closed with the manifest of a close by hand', async (t) => {
    const [byClock, byHand] = [await open(t), await open(t)]
    for (const { site } of [byClock, byHand]) await site.settle([call('2026-10-05T10:00:00Z')])
    assert.deepEqual(await byClock.look('2026-11-03', { freeze: true }), ['2026-10 closed'])
    assert.deepEqual(await byClock.look('2026-11-03', { freeze: true }), [])
    const { close } = await byHand.site.close('2026-10')
    const again = await byClock.site.close('2026-10')
    assert.deepEqual([again.isNew, again.close.manifest_sha256], [false, close.manifest_sha256])
    assert.deepEqual(await byClock.told(), [])
  })

  test('a month that is refused is told of and holds back the later ones', async (t) => {
    const { site, look, told } = await open(t)
    await site.settle([call('2026-09-05T10:00:00Z')])
    await site.close('2026-09')
    await site.settle([call('2026-10-05T10:00:00Z'), call('2026-11-05T10:00:00Z')])
    const late = { freeze: true, closedUntil: '2026-10-31' }
    assert.deepEqual(await look('2026-12-03', late), ['2026-10 open'])
    assert.deepEqual(await look('2026-12-04', { freeze: true }), [
      '2026-10 closed',
      '2026-11 closed'
    ])
    assert.deepEqual(
      (await told()).map((line) => line.split(':')[0]),
      ['month-close/2026-10 firing warning', 'month-close/2026-10 resolved info']
    )
  })

  test('a lake of old files, never closed, is told of its last month alone', async (t) => {
    const { site, look } = await open(t)
    await site.settle(['08', '09', '10'].map((month) => call(`2026-${month}-05T10:00:00Z`)))
    assert.deepEqual(await look('2026-12-01'), ['2026-10 open'])
  })
})

describe('booking by the clock', () => {
  test('whole days are booked, and a day that goes on waits', async (t) => {
    const { site } = await open(t)
    await site.settle([call('2026-10-05T10:00:00Z'), call('2026-10-06T10:00:00Z')])
    const how = { books, tags: [], untilMs: at('2026-10-06') }
    assert.equal(await bookDue(site, how), 1)
    assert.equal(await bookDue(site, how), 0)
    assert.equal(await bookDue(site, { ...how, untilMs: at('2026-10-07') }), 1)
  })
})

describe('the checklist', () => {
  test('tells of days that were booked by other prices, until they are re-priced', async (t) => {
    const { reprice } = await import('./reprice.ts')
    const { site } = await open(t)
    await site.settle([call('2026-10-05T10:00:00Z'), call('2026-10-06T10:00:00Z')])
    await bookDue(site, { books, tags: [] })
    const discount = parseContracts(
      'contracts: [{ id: half, provider: anthropic, discount_pct: 50 }]'
    )
    const now = { list: prices, contracted: bookWith(prices, discount) }
    const seen = async (month: string) => {
      const reports = await closeByClock(site, {
        books: now,
        rules: NO_RULES,
        closedUntilMs: at('2026-11-01'),
        nowMs: at('2026-11-03'),
        clock: { day: 3, freeze: false }
      })
      const { checks = [] } = reports.find((report) => report.month === month) ?? {}
      return checks.find(({ name }) => name === 'repricing')
    }
    const before = await seen('2026-10')
    assert.equal(before?.ok, null)
    assert.match(before.seen, /^2 days, 2026-10-05 to 2026-10-06, were booked by other prices/)
    const how = { ...parseMonth('2026-10'), books: now, tags: [] }
    const found = await reprice(site, { ...how, isApplied: true })
    assert.equal(found.difference_usd, '-2')
    assert.equal((await seen('2026-10'))?.ok, true)
    assert.equal((await site.close('2026-10', { books: now })).totals.billCents, 200n)
  })
})
