import { z } from 'zod'
import { settledHours } from '../../lake/settled-hours.ts'
import type { Desk } from '../desk.ts'
import { monthAt, MonthName, monthRange } from '../month.ts'
import { DAY_MS, HOUR_MS, type Range } from '../range.ts'
import { count, lakeResult, LakeResult, Usd, usdOf } from '../result.ts'
import { defineRoute } from '../route.ts'
import { closedAt } from '../close-state.ts'

/** Three years back: what auditors ask for. */
const MONTHS_MAX = 36

export default defineRoute({
  method: 'get',
  path: '/v1/months',
  summary: 'Months with data, newest first: how far they are settled and whether they are closed.',
  scope: 'read',
  result: z.strictObject({
    lake: LakeResult,
    months: z.array(
      z.strictObject({
        month: MonthName,
        closed_at: z.iso.datetime().nullable().describe('Null = open.'),
        hours: z.int().describe('Hours of the month.'),
        hours_past: z.int().describe('Of these, hours that the data has passed.'),
        hours_settled: z.int().describe('Hours with events that are settled.'),
        calls: z.int(),
        provisional_calls: z.int().describe('Calls of hours that are not settled.'),
        unpriced_calls: z.int(),
        cost_usd: Usd.nullable()
      })
    )
  }),
  answer: async (desk) => {
    const rows = await desk.windows(EVER, MONTHS_SQL, DAY_MS / 1000)
    const hours = settledHours(desk.head).map(({ startMs }) => monthAt(startMs))
    return {
      lake: lakeResult(desk),
      months: rows.slice(0, MONTHS_MAX).map((row) => {
        const month = String(row['month'] as string)
        return {
          month,
          closed_at: closedAt(desk, month),
          ...hoursOf(desk, month),
          hours_settled: hours.filter((one) => one === month).length,
          calls: count(row['calls']),
          provisional_calls: count(row['provisional_calls']),
          unpriced_calls: count(row['unpriced_calls']),
          cost_usd: usdOf(row['cost_pico'])
        }
      })
    }
  }
})

const EVER: Range = { fromMs: 0, toMs: Date.UTC(2200, 0), grain: 'hour' }

const MONTHS_SQL = `SELECT strftime(window_start AT TIME ZONE 'UTC', '%Y-%m') AS month,
  sum(n)::DOUBLE AS calls, sum(n) FILTER (provisional)::DOUBLE AS provisional_calls,
  sum(n_unpriced)::DOUBLE AS unpriced_calls, sum(cost_pico)::HUGEINT::VARCHAR AS cost_pico
FROM windows GROUP BY 1 ORDER BY 1 DESC`

const hoursOf = (desk: Desk, month: string): { hours: number; hours_past: number } => {
  const { fromMs, toMs } = monthRange(month)
  const pastMs = Math.min(toMs, Math.max(fromMs, desk.dataUntilMs ?? fromMs))
  return {
    hours: Math.round((toMs - fromMs) / HOUR_MS),
    hours_past: Math.floor((pastMs - fromMs) / HOUR_MS)
  }
}
