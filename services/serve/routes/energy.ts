import { z } from 'zod'
import type { Desk } from '../desk.ts'
import { FilterQuery, filterSql } from '../filter.ts'
import { allOf } from '../literal.ts'
import { RangeQuery, rangeResult, RangeResult, readRange, withinSql, type Range } from '../range.ts'
import { count, lakeResult, LakeResult, numberOf, textOf } from '../result.ts'
import { defineRoute } from '../route.ts'
import { readInSteps } from '../steps.ts'
import { asTenant, TenantQuery } from '../tenant.ts'

/** What a table beside a chart holds. */
const ROWS_MAX = 50

const Numbers = z.array(z.number().nullable())

const Joules = {
  low_j: z.number().nullable(),
  mid_j: z.number().nullable(),
  high_j: z.number().nullable(),
  calls: z.int().nullable().describe('Calls with energy; null where windows do not tell them.'),
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

/**
 * Ratios are of the calls that have energy, on both sides. Windows from before these were counted
 * (`energy_n` is null) have energy and take no part in ratios.
 */
const JOULES_SQL = `sum(energy_low_uj) / 1e6 AS low_j, sum(energy_mid_uj) / 1e6 AS mid_j,
  sum(energy_high_uj) / 1e6 AS high_j,
  sum(energy_n)::DOUBLE AS calls, sum(energy_told_uj) / 1e6 / nullif(sum(energy_n), 0) AS j_per_call,
  sum(energy_out_total) / nullif(sum(energy_told_uj) / 1e6, 0) AS output_tokens_per_j`

const joules = (row: Record<string, unknown>) => ({
  low_j: numberOf(row['low_j']),
  mid_j: numberOf(row['mid_j']),
  high_j: numberOf(row['high_j']),
  calls: numberOf(row['calls']),
  output_tokens_per_j: numberOf(row['output_tokens_per_j']),
  j_per_call: numberOf(row['j_per_call'])
})

const rowsBy = async (desk: Desk, range: Range, { by, where }: { by: string; where: string }) => {
  const rows = await desk.windows(
    range,
    `SELECT ${by} AS item, ${JOULES_SQL} FROM windows WHERE ${where} GROUP BY 1
     ORDER BY mid_j DESC NULLS LAST, item LIMIT ${ROWS_MAX}`
  )
  return rows.map((row) => ({ name: textOf(row['item']), ...joules(row) }))
}

const series = async (desk: Desk, range: Range, where: string) => {
  const { stepS, points } = await readInSteps(desk, range, {
    read: (within, step) =>
      desk.windows(
        within,
        `SELECT epoch(time_bucket(INTERVAL ${step} SECONDS, window_start))::BIGINT AS time, ${JOULES_SQL}
         FROM windows WHERE ${where} GROUP BY 1 ORDER BY 1`,
        step
      ),
    startS: (row) => count(row['time'])
  })
  const column = (name: string) => points.map((row) => numberOf(row[name]))
  return {
    step_s: stepS,
    time: points.map((row) => count(row['time'])),
    low_j: column('low_j'),
    mid_j: column('mid_j'),
    high_j: column('high_j')
  }
}
