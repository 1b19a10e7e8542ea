import { z } from 'zod'
import type { Desk } from './desk.ts'
import { sqlText, sqlTime } from './literal.ts'
import type { Range } from './range.ts'
import { textOf, Usd, usdOf } from './result.ts'
import { tableSql } from './tables.ts'
import { formatUsd, parseUsd } from '../../schemas/money.ts'

/** Provider bills beside the meter, over the stretch that each bill covers. */

export const BillResult = z.strictObject({
  provider: z.string().nullable(),
  from: z.iso.datetime().describe('Start of what the bill covers within the range.'),
  to: z.iso.datetime(),
  billed_usd: Usd.nullable(),
  metered_usd: Usd.nullable().describe('Metered cost of the same provider and time.'),
  gap_usd: Usd.nullable().describe('Billed less metered.')
})

/** Bills are the operator's: who sees one tenant alone sees none. */
export const readBills = async (
  desk: Desk,
  range: Range
): Promise<z.infer<typeof BillResult>[]> => {
  if (desk.access.tenant !== null) return []
  const bills =
    await desk.rows(`SELECT provider, min(bucket_start) AS first, max(bucket_end) AS last,
      sum(amount_pico)::HUGEINT::VARCHAR AS billed
    FROM (${await tableSql(desk, 'bills')})
    WHERE bucket_start >= ${sqlTime(range.fromMs)} AND bucket_end <= ${sqlTime(range.toMs)}
    GROUP BY provider ORDER BY provider`)
  return Promise.all(
    bills.map(async (row) => {
      const provider = textOf(row['provider'])
      const covered: Range = {
        fromMs: (row['first'] as Date).getTime(),
        toMs: (row['last'] as Date).getTime(),
        grain: 'hour'
      }
      const same = provider === null ? 'provider IS NULL' : `provider = ${sqlText(provider)}`
      const [metered] = await desk.windows(
        covered,
        `SELECT sum(cost_pico)::HUGEINT::VARCHAR AS metered FROM windows WHERE ${same}`,
        null
      )
      const billedUsd = usdOf(row['billed'])
      const meteredUsd = usdOf(metered?.['metered'])
      return {
        provider,
        from: new Date(covered.fromMs).toISOString(),
        to: new Date(covered.toMs).toISOString(),
        billed_usd: billedUsd,
        metered_usd: meteredUsd,
        gap_usd: billedUsd === null || meteredUsd === null ? null : gap(billedUsd, meteredUsd)
      }
    })
  )
}

const gap = (billed: string, metered: string): string =>
  formatUsd(parseUsd(billed) - parseUsd(metered))
