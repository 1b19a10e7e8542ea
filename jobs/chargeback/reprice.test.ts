import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { bookWith, loadBook } from '../../services/rates/prices/book.ts'
import { parseContracts } from '../../services/rates/prices/contracts.ts'
import { bookDue } from './book.ts'
import { callAt, openChargeTest, type ChargeTest } from './fixtures/charge-site.ts'
import { headOf } from './ledger.ts'
import { attach } from '../../services/lake/snapshot.ts'
import { reprice } from './reprice.ts'

const shipped = await loadBook()
const priced = (out: number) => {
  const own = parseContracts(
    `models: [{ provider: anthropic, model: model-a, usd_per_million: { in: 3, out: ${out} } }]`
  )
  const book = bookWith(shipped, { rows: own.rows })
  return { list: book, contracted: book }
}
const OLD = priced(15)
const NEW = priced(20)
const OCTOBER = { fromMs: Date.parse('2026-10-01'), toMs: Date.parse('2026-11-01'), tags: [] }
const call = callAt('a', '2026-10-05T10:20:00Z', {
  tokens: { in_uncached: 1_000_000, out_text: 2_000_000 }
})

const sums = async (site: ChargeTest) => {
  await attach(site, headOf(await site.lake.head(), ['charges']))
  const [row] = await site.engine.rows(`SELECT sum(billed_pico)::VARCHAR AS billed,
    sum(billed_pico) FILTER (booking = 1)::VARCHAR AS first, sum(metered_pico)::VARCHAR AS metered,
    string_agg(DISTINCT month || coalesce(' ' || charge_class, ''), ', ' ORDER BY month || coalesce(' ' || charge_class, '')) AS months FROM temp.charges`)
  return row
}

describe('a re-price', () => {
  test('shows its difference by model and class first, and books nothing', async (t) => {
    const site = await openChargeTest(t, OLD.list)
    await site.settle([call])
    await bookDue(site, { books: OLD, tags: [] })
    const before = await sums(site)
    const shown = await reprice(site, { ...OCTOBER, books: NEW, isApplied: false })
    assert.deepEqual(shown, {
      days: 1,
      first_day: '2026-10-05',
      last_day: '2026-10-05',
      charged_usd: '33',
      repriced_usd: '43',
      difference_usd: '10',
      corrects: [],
      lines: [
        {
          provider: 'anthropic',
          model: 'model-a',
          meter: 'out_text',
          charged_usd: '30',
          repriced_usd: '40',
          difference_usd: '10'
        }
      ],
      booking: null
    })
    assert.deepEqual(await sums(site), before)
  })

  test('is kept beside what was charged and what was metered; twice is once', async (t) => {
    const site = await openChargeTest(t, OLD.list)
    await site.settle([call])
    await bookDue(site, { books: OLD, tags: [] })
    const { booking } = await reprice(site, { ...OCTOBER, books: NEW, isApplied: true })
    assert.equal(booking, 2)
    const after = await sums(site)
    assert.deepEqual(after, {
      billed: '43000000000000',
      first: '33000000000000',
      metered: '33000000000000',
      months: '2026-10'
    })
    const again = await reprice(site, { ...OCTOBER, books: NEW, isApplied: true })
    assert.deepEqual([again.booking, again.difference_usd], [null, '0'])
  })

  test('of a closed month is a correction on the open one', async (t) => {
    const site = await openChargeTest(t, OLD.list)
    await site.settle([call])
    await site.close('2026-10', { books: OLD })
    const { corrects } = await reprice(site, { ...OCTOBER, books: NEW, isApplied: true })
    assert.deepEqual(corrects, ['2026-10'])
    assert.equal((await sums(site))?.['months'], '2026-10, 2026-11 Correction')
  })

  test('refuses days with events that are not booked, by name', async (t) => {
    const site = await openChargeTest(t, OLD.list)
    await site.settle([call])
    await assert.rejects(reprice(site, { ...OCTOBER, books: NEW, isApplied: false }), {
      code: 'E_USAGE',
      message: /1 days are not booked as they stand: 2026-10-05/
    })
  })
})
