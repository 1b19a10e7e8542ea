import { z } from 'zod'
import type { Desk } from '../desk.ts'
import { FilterQuery, filterSql } from '../filter.ts'
import { allOf } from '../literal.ts'
import {
  RangeQuery,
  rangeResult,
  RangeResult,
  readRange,
  stepOf,
  withinSql,
  type Range
} from '../range.ts'
import { count, lakeResult, LakeResult, numberOf, textOf } from '../result.ts'
import { defineRoute } from '../route.ts'
import { asTenant, TenantQuery } from '../tenant.ts'

/** What a table beside a chart holds. */
const ROWS_MAX = 50

const Numbers = z.array(z.number().nullable())

const Joules = {
  low_j: z.number().nullable(),
  mid_j: z.number().nullable(),
  high_j: z.number().nullable(),
  calls: z.int(),
  output_tokens_per_j: z.number().nullable(),
  j_per_call: z.number().nullable()
}

const Rows = z.array(z.strictObject({ name: z.string().nullable(), ...Joules }))

export default defineRoute({
  method: 'get',
  path: '/v1/energy',
  summary: 'Estimated energy with its 80 % interval: total, by model, by tenant, by time.',
  scope: 'read',
  query: z.strictObject({ ...RangeQuery, ...TenantQuery, ...FilterQuery }),
  result: z.strictObject({
    lake: LakeResult,
    range: RangeResult,
    total: z.strictObject(Joules),
    by_model: Rows,
    by_tenant: Rows,
    series: z.strictObject({
      step_s: z.int(),
      time: z.array(z.int()),
      low_j: Numbers,
      mid_j: Numbers,
      high_j: Numbers
    }),
    sql: z.string()
  }),
  answer: async (desk, input) => {
    const range = readRange(input, desk)
    const where = allOf(
      withinSql(range, 'window_start'),
      ...asTenant(desk, input.tenant),
      ...filterSql(input.filter)
    )
    const sql = `SELECT ${JOULES_SQL}\nFROM windows WHERE ${where}`
    const [total] = await desk.windows(range, sql)
    const model = 'coalesce(response_model, request_model)'
    return {
      lake: lakeResult(desk),
      range: rangeResult(range),
      total: joules(total ?? {}),
      by_model: await rowsBy(desk, range, { by: model, where }),
      by_tenant: await rowsBy(desk, range, { by: 'tenant', where }),
      series: await series(desk, range, where),
      sql
    }
  }
})

const JOULES_SQL = `sum(energy_low_uj) / 1e6 AS low_j, sum(energy_mid_uj) / 1e6 AS mid_j,
  sum(energy_high_uj) / 1e6 AS high_j,
  coalesce(sum(n) FILTER (energy_mid_uj IS NOT NULL), 0)::DOUBLE AS calls,
  sum(out_total) FILTER (energy_mid_uj IS NOT NULL) / nullif(sum(energy_mid_uj) / 1e6, 0) AS output_tokens_per_j`

const joules = (row: Record<string, unknown>) => {
  const mid = numberOf(row['mid_j'])
  const calls = count(row['calls'])
  return {
    low_j: numberOf(row['low_j']),
    mid_j: mid,
    high_j: numberOf(row['high_j']),
    calls,
    output_tokens_per_j: numberOf(row['output_tokens_per_j']),
    j_per_call: mid === null || calls === 0 ? null : mid / calls
  }
}

const rowsBy = async (desk: Desk, range: Range, { by, where }: { by: string; where: string }) => {
  const rows = await desk.windows(
    range,
    `SELECT ${by} AS item, ${JOULES_SQL} FROM windows WHERE ${where} GROUP BY 1
     ORDER BY mid_j DESC NULLS LAST, item LIMIT ${ROWS_MAX}`
  )
  return rows.map((row) => ({ name: textOf(row['item']), ...joules(row) }))
}

const series = async (desk: Desk, range: Range, where: string) => {
  const step = stepOf(range)
  const rows = await desk.windows(
    range,
    `SELECT epoch(time_bucket(INTERVAL ${step} SECONDS, window_start))::BIGINT AS time, ${JOULES_SQL}
     FROM windows WHERE ${where} GROUP BY 1 ORDER BY 1`
  )
  const column = (name: string) => rows.map((row) => numberOf(row[name]))
  return {
    step_s: step,
    time: rows.map((row) => count(row['time'])),
    low_j: column('low_j'),
    mid_j: column('mid_j'),
    high_j: column('high_j')
  }
}
