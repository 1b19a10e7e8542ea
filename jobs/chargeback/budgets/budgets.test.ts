import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { UsageEvent } from '../../../schemas/event.ts'
import { bookWith, loadBook } from '../../../services/rates/prices/book.ts'
import { parseContracts } from '../../../services/rates/prices/contracts.ts'
import { bookDue } from '../book.ts'
import { callAt, openChargeTest } from '../fixtures/charge-site.ts'
import { parseMonth } from '../month.ts'
import { parseBudgets } from './budget-file.ts'
import { budgetStandings, budgetState } from './states.ts'
import { lookAtBudgets, watchBudgets } from './watch.ts'

const own =
  parseContracts(`models: [{ provider: anthropic, model: model-a, usd_per_million: { in: 1, out: 1 } }]
contracts: [{ id: half, provider: anthropic, discount_pct: 50 }]`)
const prices = bookWith(await loadBook(), { rows: own.rows })
const contracted = bookWith(await loadBook(), own)

const day = (number: number, usd: number, rest: Partial<UsageEvent> = {}): UsageEvent =>
  callAt(`${number}-${usd}`, `2026-10-${String(number).padStart(2, '0')}T10:00:00Z`, {
    tokens: { in_uncached: usd * 1_000_000, out_text: 0 },
    ...rest
  })

const month = parseMonth('2026-10')
const at = (time: string): number => Date.parse(`2026-${time}:00Z`)

describe('how budgets stand', () => {
  test('each counts its own spending, and foretells the month from whole days', async (t) => {
    const site = await openChargeTest(t, prices)
    await site.settle([
      ...[1, 2, 3].map((number) => day(number, 10)),
      day(4, 4),
      day(2, 50, { tenant: 'globex', team: 'red', tags: { env: 'prod' } }),
      day(2, 7, { tenant: 'globex', tags: { env: 'dev' } })
    ])
    const budgets = parseBudgets(`budgets:
  - { id: acme, tenant: acme, usd: 309 }
  - { id: tight, tenant: acme, usd: 308.99 }
  - { id: red, team: red, usd: '49.99' }
  - { id: dev, tags: { env: dev }, usd: 1000 }`)
    const standings = await budgetStandings(site, await site.lake.head(), {
      budgets,
      month,
      keptTags: [],
      untilMs: at('10-04T12:00')
    })
    assert.deepEqual(
      standings.map(budgetState).map((one) => [one.id, one.spent_usd, one.forecast_usd, one.state]),
      [
        // 34 spent, and 10 for each of the 27.5 days left.
        ['acme', '34.00', '309.00', 'within'],
        ['tight', '34.00', '309.00', 'forecast_over'],
        // From its first day on there are only two whole days.
        ['red', '50.00', null, 'over'],
        ['dev', '7.00', null, 'within']
      ]
    )
    const [acme] = standings
    assert.deepEqual(acme?.forecast && [acme.forecast.low_usd, acme.forecast.high_usd], [309, 309])
    const rows = await site.engine.rows(`SELECT sum(usd)::DOUBLE AS usd FROM (${acme?.query})`)
    assert.equal(Number(rows[0]?.['usd']), 34)
  })

  test('booked days count at negotiated prices, what came since as metered', async (t) => {
    const site = await openChargeTest(t, prices)
    await site.settle([day(1, 10), day(2, 20, { response_model: 'nobody-knows' })])
    await bookDue(site, { books: { contracted, list: prices }, tags: ['env'] })
    await site.settle([day(3, 4, { tags: { env: 'dev' } })])
    const read = async (keptTags: string[], tags = '') => {
      const [one] = await budgetStandings(site, await site.lake.head(), {
        budgets: parseBudgets(`budgets: [{ id: all, usd: 50${tags} }]`),
        month,
        keptTags,
        untilMs: at('10-04T12:00')
      })
      return [budgetState(one!).spent_usd, one?.unpricedCalls]
    }
    assert.deepEqual(await read([]), ['9.00', 1])
    assert.deepEqual(await read(['env'], ', tags: { env: dev }'), ['4.00', 0])
    assert.deepEqual(await read([], ', tags: { env: dev }'), ['4.00', 0])
  })

  test('a wrong file is refused with the place', () => {
    const refuse = (text: string, says: RegExp) =>
      assert.throws(() => parseBudgets(text), { code: 'E_USAGE', message: says })
    refuse('budgets: [{ id: a, usd: many }]', /budgets\.0\.usd: an amount in USD/)
    refuse('budgets: [{ id: a, usd: 1 }, { id: a, usd: 2 }]', /two budgets are called a/)
    refuse('budgets: [{ id: a, usd: 1, tenat: b }]', /tenat/)
    refuse('budgets: [{ id: a, usd: 1, alert_at_percent: [0] }]', /alert_at_percent/)
    refuse('{', /no YAML/)
  })
})

/** One look after the other over a lake that grows; what was told at each. */
const course = async (
  t: Parameters<typeof openChargeTest>[0],
  file: string,
  looks: readonly { events?: UsageEvent[]; time: string; budgets?: string }[]
) => {
  const site = await openChargeTest(t, prices)
  const told: string[][] = []
  let budgets = parseBudgets(file)
  for (const { events = [], time, budgets: changed } of looks) {
    await site.settle(events)
    if (changed !== undefined) budgets = parseBudgets(changed)
    const findings = await watchBudgets(site, { budgets, keptTags: [], untilMs: at(time) })
    told.push(
      findings.map(({ fingerprint, status, severity }) =>
        [fingerprint.slice('spend-budget/'.length), status, severity].join(' ')
      )
    )
  }
  return { site, told, budgets }
}

describe('alerts about budgets', () => {
  const file = 'budgets: [{ id: acme, tenant: acme, usd: 100, alert_on_forecast: false }]'

  test('each part is told once as it is reached, however often one looks', async (t) => {
    const { told } = await course(t, file, [
      { events: [day(1, 49)], time: '10-01T11:00' },
      { events: [day(2, 1)], time: '10-02T11:00' },
      { time: '10-02T11:00' },
      { time: '10-02T11:20' },
      { events: [day(3, 35)], time: '10-03T11:00' },
      { events: [day(4, 15)], time: '10-04T11:00' },
      { events: [day(5, 500)], time: '10-05T11:00' }
    ])
    assert.deepEqual(told, [
      [],
      ['acme/2026-10/spent firing info'],
      [],
      [],
      ['acme/2026-10/spent firing warning'],
      ['acme/2026-10/spent firing critical'],
      []
    ])
  })

  test('it ends with the month, by a higher budget, and with the budget', async (t) => {
    const other = 'budgets: [{ id: other, usd: 1000 }]'
    const { told, site } = await course(t, file, [
      { events: [day(30, 90)], time: '10-30T11:00' },
      { time: '11-01T00:00' },
      { time: '11-01T00:15' },
      { time: '11-01T00:30' },
      {
        events: [callAt('n', '2026-11-02T10:00:00Z', { tokens: { in_uncached: 60_000_000 } })],
        time: '11-02T11:00'
      },
      { time: '11-02T11:00', budgets: file.replace('100', '500') },
      { time: '11-02T11:00', budgets: file.replace('100', '110') },
      { time: '11-02T11:00', budgets: other }
    ])
    assert.deepEqual(told, [
      ['acme/2026-10/spent firing warning'],
      [],
      ['acme/2026-10/spent resolved warning'],
      [],
      ['acme/2026-11/spent firing info'],
      ['acme/2026-11/spent resolved info'],
      ['acme/2026-11/spent firing info'],
      ['acme/2026-11/spent resolved info']
    ])
    const rows = await site.engine.rows(
      `SELECT json_extract_string(finding, '$.summary') AS summary FROM read_parquet('${site.folder}/findings/*.parquet') WHERE status = 'resolved' ORDER BY sequence`
    )
    assert.deepEqual(
      rows.map(({ summary }) => summary),
      [
        'Budget acme of 2026-10: the month is over.',
        'Budget acme of 2026-11 is now $500.00 instead of $100.00: $60.00 is spent; the month will end at $916.25 ($60.00 to $2069.85, 80 %).',
        'Budget acme of 2026-11 is no longer set.'
      ]
    )
  })

  test('spending that falls a little, as duplicates go, ends nothing; much of it does', async (t) => {
    const { told } = await course(t, file, [
      { events: [day(1, 81)], time: '10-01T11:00' },
      { events: [day(1, 77)], time: '10-01T12:00' },
      { events: [day(1, 75)], time: '10-01T13:00' }
    ])
    assert.deepEqual(told, [
      ['acme/2026-10/spent firing warning'],
      [],
      ['acme/2026-10/spent firing info']
    ])
  })

  test('a month that will end above the budget is told when the low end says so', async (t) => {
    const budgets = (usd: number) =>
      `budgets: [{ id: acme, tenant: acme, usd: ${usd}, alert_at_percent: [] }]`
    const days = [8, 12, 8, 12, 8, 12].map((usd, index) => day(index + 1, usd))
    // 60 spent and 25 days of 10: 310, from 275 to 345.
    const { told } = await course(t, budgets(280), [
      { events: days, time: '10-07T00:00' },
      { time: '10-07T00:00', budgets: budgets(270) },
      { time: '10-07T00:15' },
      { time: '10-07T00:15', budgets: budgets(300) },
      { time: '10-07T00:15', budgets: budgets(320) },
      { time: '10-07T00:15', budgets: budgets(59) }
    ])
    assert.deepEqual(told, [
      [],
      ['acme/2026-10/forecast firing warning'],
      [],
      [],
      ['acme/2026-10/forecast resolved warning'],
      []
    ])
  })

  test('two that look at once tell once, and the same comes out again at the version read', async (t) => {
    const site = await openChargeTest(t, prices)
    await site.settle([day(1, 60)])
    const options = { budgets: parseBudgets(file), keptTags: [], untilMs: at('10-01T11:00') }
    const head = await site.lake.head()
    const first = await watchBudgets(site, options)
    const stale = { ...site, lake: { ...site.lake, head: async () => head } }
    assert.deepEqual(await watchBudgets(stale, options), [])
    const again = await lookAtBudgets(site, await site.lake.headAt(head.version), options)
    assert.equal(first.length, 1)
    assert.deepEqual(again?.findings, first)
    assert.equal(first[0]?.after['lake_version'], head.version)
    const [query] = await site.engine.rows(
      `SELECT sum(usd)::DOUBLE AS usd FROM (${first[0]?.query})`
    )
    assert.equal(query?.['usd'], 60)
  })
})
