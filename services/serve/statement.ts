import { z } from 'zod'
import type { Desk } from './desk.ts'
import { numberOf, textOf, Usd, usdOf } from './result.ts'
import { tableSql } from './tables.ts'

/** Lines of statements, as they were booked. */

export const StatementLine = z.strictObject({
  month: z.string(),
  tenant: z.string().nullable().describe('Who pays; null = unallocated.'),
  section: z.string(),
  item: z.string().nullable(),
  quantity: z.number().nullable(),
  unit: z.string().nullable(),
  cost_usd: Usd.nullable(),
  cents: z.number().nullable().describe('Rounded so that lines sum to their total.'),
  low: z.number().nullable(),
  high: z.number().nullable()
})

/** More lines than a statement of one tenant has; a bound on what one answer carries. */
const LINES_MAX = 2000

export const readStatement = async (
  desk: Desk,
  where: string
): Promise<z.infer<typeof StatementLine>[]> => {
  const rows = await desk.rows(`SELECT month, tenant, section, item, quantity::DOUBLE AS quantity,
      unit, cost_pico::VARCHAR AS cost_pico, cents::DOUBLE AS cents, low::DOUBLE AS low, high::DOUBLE AS high
    FROM (${await tableSql(desk, 'statements')}) WHERE ${where}
    ORDER BY month, tenant, section, cost_pico::HUGEINT DESC NULLS LAST, item LIMIT ${LINES_MAX}`)
  return rows.map((row) => ({
    month: textOf(row['month']) ?? '',
    tenant: textOf(row['tenant']),
    section: textOf(row['section']) ?? '',
    item: textOf(row['item']),
    quantity: numberOf(row['quantity']),
    unit: textOf(row['unit']),
    cost_usd: usdOf(row['cost_pico']),
    cents: numberOf(row['cents']),
    low: numberOf(row['low']),
    high: numberOf(row['high'])
  }))
}
