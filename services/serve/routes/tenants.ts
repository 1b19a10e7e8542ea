import { z } from 'zod'
import { NextCursor, PageQuery, readCursor, writeCursor } from '../cursor.ts'
import { RangeQuery, rangeResult, RangeResult, readRange, withinSql } from '../range.ts'
import { lakeResult, LakeResult, textOf, Totals, TOTALS_SQL, totalsOf } from '../result.ts'
import { defineRoute } from '../route.ts'

const Position = z.strictObject({ skip: z.int().nonnegative() })

export default defineRoute({
  method: 'get',
  path: '/v1/tenants',
  summary: 'Tenants with their totals over a range, the most expensive first.',
  scope: 'read',
  query: z.strictObject({ ...RangeQuery, ...PageQuery }),
  result: z.strictObject({
    lake: LakeResult,
    range: RangeResult,
    tenants: z.array(z.strictObject({ tenant: z.string(), totals: Totals })),
    next: NextCursor,
    sql: z.string()
  }),
  answer: async (desk, input) => {
    const range = readRange(input, desk)
    const skip = readCursor(input.cursor, Position)?.skip ?? 0
    const sql = `SELECT tenant, ${TOTALS_SQL}
FROM windows WHERE ${withinSql(range, 'window_start')} GROUP BY tenant
ORDER BY sum(cost_pico) DESC NULLS LAST, tenant LIMIT ${input.limit + 1} OFFSET ${skip}`
    const rows = await desk.windows(range, sql, null)
    const page = rows.slice(0, input.limit)
    return {
      lake: lakeResult(desk),
      range: rangeResult(range),
      tenants: page.map((row) => ({ tenant: textOf(row['tenant']) ?? '', totals: totalsOf(row) })),
      next: rows.length > page.length ? writeCursor({ skip: skip + page.length }) : null,
      sql
    }
  }
})
