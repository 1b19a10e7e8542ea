import assert from 'node:assert/strict'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { describe, test } from 'node:test'
import { bookWith, loadBook } from '../../../services/rates/prices/book.ts'
import { parseContracts } from '../../../services/rates/prices/contracts.ts'
import { bookDue } from '../book.ts'
import { callAt, openChargeTest, type ChargeTest } from '../fixtures/charge-site.ts'
import { exportBookings } from './export-bookings.ts'
import { keepBill } from '../../reconcile/kept-bills.ts'
import focus from '../../reconcile/importers/focus.ts'
import { parseMonth } from '../month.ts'
import { focusCopySql, focusSql } from './focus-sql.ts'
import { invoicesOf } from './invoices.ts'

const OWN = `models:
  - { provider: anthropic, model: model-a, usd_per_million: { in: 3, read: 0.3, write: 3.75, out: 15 }, usd_per_unit: { web_search: 0.01 } }
contracts:
  - { id: deal, provider: anthropic, provider_account: org-2, discount_pct: 20 }`
const own = parseContracts(OWN)
const shipped = await loadBook()
const list = bookWith(shipped, { rows: own.rows })
const contracted = bookWith(shipped, own)
const books = { list, contracted }

const TIME = '2026-10-05T10:20:00Z'
const cached = callAt('a', TIME, {
  tokens: {
    in_uncached: 500_000,
    in_cache_write_5m: 2_000_000,
    in_cache_read: 8_000_000,
    out_text: 1_500_000
  }
})

const rowsOf = async ({ engine }: ChargeTest, sql: string) => engine.rows(sql)

describe('a month as FOCUS', () => {
  test("gives the standard's example of prompt caching: 1.50, 7.50, 2.40 and 22.50", async (t) => {
    const site = await openChargeTest(t, list)
    await site.settle([cached])
    await site.close('2026-10')
    const rows = await rowsOf(
      site,
      `SELECT SkuMeter AS meter, BilledCost::VARCHAR AS cost FROM (${focusSql('temp.month_rows')})`
    )
    const costs = Object.fromEntries(rows.map(({ meter, cost }) => [meter as string, Number(cost)]))
    assert.deepEqual(costs, {
      'Uncached Input Tokens': 1.5,
      'Cache Write 5m Input Tokens': 7.5,
      'Cache Read Input Tokens': 2.4,
      'Output Tokens': 22.5
    })
    // Uncached, the input would have cost 31.50 instead of 11.40.
    const [saved] = await rowsOf(
      site,
      `SELECT sum(x_CacheSavedCost)::VARCHAR AS usd FROM (${focusSql('temp.month_rows')})`
    )
    assert.equal(Number(saved?.['usd']), 31.5 - 11.4)
  })

  test('keeps what the validator does not look at: exact decimals, zones, price × quantity, prefixes, sums', async (t) => {
    const site = await openChargeTest(t, list)
    await site.settle([
      cached,
      callAt('b', TIME, {
        provider_account: 'org-2',
        tokens: { in_uncached: 7, out_text: 3, units: { web_search: 2 } }
      }),
      callAt('c', TIME, {
        tenant: 'globex',
        batch: false,
        attempt: 2,
        tokens: { in_total: 11, out_total: 5 }
      })
    ])
    const { totals } = await site.close('2026-10', { books })
    const exported = `(${focusSql('temp.month_rows')})`
    const types = await rowsOf(site, `DESCRIBE SELECT * FROM ${exported}`)
    for (const { column_name: name, column_type: type } of types) {
      const column = name as string
      if (/(Cost|Price|Quantity)$/.test(column)) assert.match(type as string, /^DECIMAL/, column)
      if (/Period(Start|End)$/.test(column)) assert.equal(type, 'TIMESTAMP WITH TIME ZONE', column)
    }
    const names = types.map(({ column_name: name }) => name as string)
    const first = names.findIndex((name) => name.startsWith('x_'))
    assert.ok(
      names.slice(first).every((name) => /^x_[A-Z]/.test(name)),
      'custom columns come last'
    )
    const [wrong] = await rowsOf(
      site,
      `SELECT count(*) FILTER (ListUnitPrice * PricingQuantity <> ListCost) AS list,
         count(*) FILTER (ContractedUnitPrice * PricingQuantity <> ContractedCost) AS contracted,
         count(*) FILTER (EXISTS (SELECT 1 FROM unnest(json_keys(SkuPriceDetails)) k(key) WHERE key NOT LIKE 'x\\_%' ESCAPE '\\')) AS prefixes,
         count(*) FILTER (ContractedCost < ListCost) AS discounted, count(*) AS n
       FROM ${exported}`
    )
    assert.deepEqual(wrong, { list: 0n, contracted: 0n, prefixes: 0n, discounted: 2n, n: 9n })
    const [sum] = await rowsOf(
      site,
      `SELECT (sum(BilledCost) * 1000000000000)::DECIMAL(38,0)::VARCHAR AS pico FROM ${exported}`
    )
    assert.equal(sum?.['pico'], String(totals.billPico))
    const csv = path.join(site.folder, 'month.csv')
    await site.engine.run(focusCopySql('temp.month_rows', csv, { format: 'csv' }))
    const [text] = await rowsOf(
      site,
      `SELECT ChargePeriodStart AS start FROM read_csv('${csv}', all_varchar = true) LIMIT 1`
    )
    assert.equal(text?.['start'], '2026-10-05T00:00:00Z')
  })
})

describe('the invoice of a row', () => {
  const charge = (day: number, usd: number, rest = {}) =>
    callAt(`${day}`, `2026-10-${String(day).padStart(2, '0')}T10:00:00Z`, {
      tokens: { in_uncached: 0, units: { web_search: usd * 100 } },
      ...rest
    })
  const line = (day: number, cost: string, invoice: string) =>
    `${cost},USD,2026-10-${day}T00:00:00Z,2026-10-${day + 1}T00:00:00Z,Anthropic,${invoice},web search`
  const HEAD =
    'BilledCost,BillingCurrency,ChargePeriodStart,ChargePeriodEnd,ProviderName,InvoiceId,SkuMeter'

  /** Sums by invoice of a month with five dollars of usage, and this bill. */
  const invoiced = async (t: Parameters<typeof openChargeTest>[0], ...lines: string[]) => {
    const site = await openChargeTest(t, list)
    await site.settle([
      charge(10, 2),
      charge(11, 2),
      charge(20, 1),
      charge(12, 1, { provider: 'openai', response_model: 'gpt-4o' })
    ])
    await keepBill(site, {
      dialect: 'focus',
      sha256: 'a',
      lines: focus.read([HEAD, ...lines].join('\n'))
    })
    await site.close('2026-10')
    const invoices = await invoicesOf(site.engine, parseMonth('2026-10'))
    const rows = await rowsOf(
      site,
      `SELECT ProviderName AS who, InvoiceId AS id, sum(BilledCost)::DOUBLE AS usd
       FROM (${focusSql('temp.month_rows', invoices)}) GROUP BY ALL HAVING usd > 0 ORDER BY ALL`
    )
    return rows.map(({ who, id, usd }) => `${String(who)} ${String(id)} ${String(usd)}`)
  }

  test("is the bill's, for the days that it covers, and sums to what it asks", async (t) => {
    const rows = await invoiced(t, line(10, '2.5', 'inv-1'), line(11, '2', 'inv-1'))
    assert.deepEqual(rows, ['anthropic inv-1 4.5', 'anthropic null 1', 'openai null 1'])
  })

  test('is null while the bill names none, or names two', async (t) => {
    assert.deepEqual(await invoiced(t, line(10, '2.5', ''), line(11, '2', 'inv-1')), [
      'anthropic null 5.5',
      'openai null 1'
    ])
    assert.deepEqual(await invoiced(t, line(10, '2.5', 'inv-2'), line(11, '2', 'inv-1')), [
      'anthropic null 5.5',
      'openai null 1'
    ])
  })
})

describe('hourly exports', () => {
  /** A dollar of output: 66,667 tokens would be more, so it is priced by searches. */
  const dollar = (hour: number, id = 'one') =>
    callAt(`${id}-${hour}`, `2026-10-05T${String(hour).padStart(2, '0')}:30:00Z`, {
      tokens: { in_uncached: 0, units: { web_search: 100 } }
    })
  const sumOf = async (site: ChargeTest, out: string): Promise<number> => {
    const [row] = await rowsOf(
      site,
      `SELECT sum(BilledCost)::DOUBLE AS usd FROM read_parquet('${out}/*.parquet')`
    )
    return row?.['usd'] as number
  }

  test('of a dollar each sum to 24, also when repeated, replayed and joined by late rows', async (t) => {
    const site = await openChargeTest(t, list)
    const out = path.join(site.folder, 'exports')
    const options = { out, stream: 'default', format: 'parquet' } as const
    const exportNow = async () => {
      await bookDue(site, { books: { list, contracted: list }, tags: [] })
      return exportBookings(site, options)
    }
    for (let hour = 0; hour < 24; hour += 1) {
      await site.settle([dollar(hour)])
      assert.equal((await exportNow()).length, 1)
    }
    assert.equal(await sumOf(site, out), 24)
    assert.deepEqual(await exportNow(), [], 'nothing is exported twice')
    await exportBookings(site, { ...options, from: 1 })
    assert.equal((await readdir(out)).length, 24)
    assert.equal(await sumOf(site, out), 24, 'a replay writes the same files')
    await site.settle([dollar(3), dollar(3, 'late')])
    assert.equal((await exportNow()).length, 1)
    assert.equal(await sumOf(site, out), 25, 'a late dollar is in the next file, once')
  })
})
