import type { Engine } from '../../../services/lake/engine.ts'
import { quoted } from '../../../services/lake/parquet-writer.ts'
import { billingProvider } from '../../../services/rates/prices/billing-names.ts'
import { BILLS_NOW } from '../../bills-now.ts'
import { DAY_MS, timestampSql, type Month } from '../month.ts'

/**
 * Invoices that the charges of a month are on. A row is on one when its provider's bill names one
 * and no other for the month, and covers the row's day; then the rows of the invoice sum to it,
 * since what the bill asks beyond the record is a row too. A correction is on a later invoice,
 * which is not known yet.
 */
export type Invoice = {
  /** As the ledger names it. */
  provider: string
  id: string
  fromMs: number
  toMs: number
}

/** Wants the views of the lake, `bills` among them, and `month_rows`. */
export const invoicesOf = async (engine: Engine, month: Month): Promise<Invoice[]> => {
  const bills = await engine.rows(`SELECT provider, any_value(invoice_id) AS id,
      epoch_ms(min(bucket_start))::DOUBLE AS from_ms, epoch_ms(max(bucket_end))::DOUBLE AS to_ms
    FROM ${BILLS_NOW} WHERE amount_pico IS NOT NULL
      AND bucket_start >= ${timestampSql(month.fromMs)} AND bucket_start < ${timestampSql(month.toMs)}
    GROUP BY provider
    HAVING count(DISTINCT invoice_id) = 1 AND count(invoice_id) = count(*)`)
  const byBiller = new Map(bills.map((row) => [row['provider'] as string, row]))
  const rows = await engine.rows(
    'SELECT DISTINCT provider FROM temp.month_rows WHERE provider IS NOT NULL ORDER BY provider'
  )
  return rows.flatMap(({ provider }) => {
    const bill = byBiller.get(billingProvider(provider as string))
    if (bill === undefined) return []
    return {
      provider: provider as string,
      id: bill['id'] as string,
      fromMs: Math.floor(Number(bill['from_ms']) / DAY_MS) * DAY_MS,
      toMs: Math.ceil(Number(bill['to_ms']) / DAY_MS) * DAY_MS
    }
  })
}

/** Expression of the invoice of a ledger row `r`. */
export const invoiceSql = (invoices: readonly Invoice[]): string => {
  if (invoices.length === 0) return 'NULL'
  const cases = invoices.map(
    ({ provider, id, fromMs, toMs }) => `WHEN r.provider = ${quoted(provider)}
      AND (r.category <> 'usage' OR (r.charge_start >= ${timestampSql(fromMs)} AND r.charge_start < ${timestampSql(toMs)}))
      THEN ${quoted(id)}`
  )
  return `CASE WHEN r.charge_class IS NOT NULL THEN NULL ${cases.join(' ')} END`
}
