import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bookWith, loadBook } from '../../services/rates/prices/book.ts'
import { parseContracts } from '../../services/rates/prices/contracts.ts'
import { budgetStates, parseBudgets } from './budget.ts'
import { callAt, openChargeTest } from './fixtures/charge-site.ts'
import { parseMonth } from './month.ts'

const own = parseContracts(
  'models: [{ provider: anthropic, model: model-a, usd_per_million: { in: 1, out: 1 } }]'
)
const prices = bookWith(await loadBook(), own)

test('a budget counts its own spending, and foretells the month from the last whole days', async (t) => {
  const site = await openChargeTest(t, prices)
  const day = (number: number, usd: number, rest = {}) =>
    callAt(`${number}-${usd}`, `2026-10-${String(number).padStart(2, '0')}T10:00:00Z`, {
      tokens: { in_uncached: usd * 1_000_000, out_text: 0 },
      ...rest
    })
  await site.settle([
    day(1, 10),
    day(2, 10),
    day(3, 4),
    day(2, 50, { tenant: 'globex', team: 'red', tags: { env: 'prod' } }),
    day(2, 7, { tenant: 'globex', tags: { env: 'dev' } })
  ])
  const budgets = parseBudgets(`budgets:
  - { id: acme, tenant: acme, usd: 310 }
  - { id: tight, tenant: acme, usd: 309.99 }
  - { id: red, team: red, usd: '49.99' }
  - { id: dev, tags: { env: dev }, usd: 1000 }`)
  const states = await budgetStates(site, await site.lake.head(), {
    budgets,
    month: parseMonth('2026-10'),
    nowMs: Date.parse('2026-10-03T12:00:00Z')
  })
  assert.deepEqual(
    states.map(({ id, spent_usd, forecast_usd, state }) => [id, spent_usd, forecast_usd, state]),
    [
      ['acme', '24.00', '310.00', 'within'],
      ['tight', '24.00', '310.00', 'forecast_over'],
      ['red', '50.00', '775.00', 'over'],
      ['dev', '7.00', '108.50', 'within']
    ]
  )
})
