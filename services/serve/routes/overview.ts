import { z } from 'zod'
import { SEVERITIES } from '../../../schemas/finding.ts'
import { BUCKETS } from '../../../schemas/tokens.ts'
import { BillResult, readBills } from '../bills.ts'
import type { Desk } from '../desk.ts'
import { incidentsSql } from '../findings.ts'
import { allOf } from '../literal.ts'
import { RangeQuery, rangeResult, RangeResult, readRange, withinSql, type Range } from '../range.ts'
import {
  count,
  lakeResult,
  LakeResult,
  numberOf,
  textOf,
  Totals,
  TOTALS_SQL,
  totalsOf,
  Usd,
  usdOf
} from '../result.ts'
import { defineRoute } from '../route.ts'
import { readInSteps } from '../steps.ts'
import { asTenant, TenantQuery } from '../tenant.ts'

/** As many as a list beside a chart holds. */
const TOP_MAX = 10

const Numbers = z.array(z.number().nullable())

const Series = z.strictObject({
  step_s: z.int().describe('Length of a step in seconds; follows the stretch that has calls.'),
  time: z.array(z.int()).describe('Start of each step that has calls, seconds since the epoch.'),
  cost_usd: Numbers.describe('Rounded to a double, for charts.'),
  calls: Numbers,
  errors: Numbers,
  cache_hit_rate: Numbers,
  energy_mid_j: Numbers,
  tokens: z.strictObject(Object.fromEntries(BUCKETS.map((name) => [name, Numbers])))
})

const Top = z.array(
  z.strictObject({ name: z.string().nullable(), calls: z.int(), cost_usd: Usd.nullable() })
)

const Overview = z.strictObject({
  lake: LakeResult,
  range: RangeResult,
  totals: Totals,
  before: Totals.describe('The same length of time before.'),
  series: Series,
  top_tenants: Top,
  top_models: Top,
  bills: z.array(BillResult).describe('Bills that lie in the range, and their gap to the meter.'),
  open_findings: z.strictObject(
    Object.fromEntries(['total', ...SEVERITIES].map((name) => [name, z.int()]))
  ),
  sql: z.string().describe('The query behind the series.')
})

export default defineRoute({
  method: 'get',
  path: '/v1/overview',
  summary: 'Spend, tokens by bucket, cache hit rate, energy and open findings over a range.',
  scope: 'read',
  query: z.strictObject({ ...RangeQuery, ...TenantQuery }),
  result: Overview,
  answer: async (desk, input) => {
    const range = readRange(input, desk)
    const conditions = asTenant(desk, input.tenant)
    const where = allOf(...conditions)
    const lengthMs = range.toMs - range.fromMs
    const past = { ...range, fromMs: range.fromMs - lengthMs, toMs: range.fromMs }
    const { sql, series } = await readSeries(desk, range, conditions)
    return {
      lake: lakeResult(desk),
      range: rangeResult(range),
      totals: await totals(desk, range, where),
      before: await totals(desk, past, where),
      series,
      top_tenants: await top(desk, range, { by: 'tenant', where }),
      top_models: await top(desk, range, { by: 'coalesce(response_model, request_model)', where }),
      bills: input.tenant === undefined ? await readBills(desk, range) : [],
      open_findings: await openFindings(desk, where),
      sql
    }
  }
})

const totals = async (desk: Desk, range: Range, where: string) => {
  const [row] = await desk.windows(range, `SELECT ${TOTALS_SQL} FROM windows WHERE ${where}`, null)
  return totalsOf(row ?? {})
}

const seriesSql = (range: Range, stepS: number, conditions: readonly string[]): string => {
  const tokens = BUCKETS.map((name) => `sum(${name})::DOUBLE AS ${name}`)
  return `SELECT epoch(time_bucket(INTERVAL ${stepS} SECONDS, window_start))::BIGINT AS time,
  sum(cost_pico) / 1e12 AS cost_usd, sum(n)::DOUBLE AS calls, sum(n_error)::DOUBLE AS errors,
  sum(cache_h) / nullif(sum(cache_w), 0) AS cache_hit_rate,
  sum(energy_mid_uj) / 1e6 AS energy_mid_j,
  ${tokens.join(', ')}
FROM windows WHERE ${allOf(withinSql(range, 'window_start'), ...conditions)} GROUP BY 1 ORDER BY 1`
}

const readSeries = async (
  desk: Desk,
  range: Range,
  conditions: readonly string[]
): Promise<{ sql: string; series: z.infer<typeof Series> }> => {
  const found = await readInSteps(desk, range, {
    read: (within, stepS) => desk.windows(within, seriesSql(within, stepS, conditions), stepS),
    startS: (row) => count(row['time'])
  })
  const column = (name: string) => found.points.map((row) => numberOf(row[name]))
  const series = {
    step_s: found.stepS,
    time: found.points.map((row) => count(row['time'])),
    cost_usd: column('cost_usd'),
    calls: column('calls'),
    errors: column('errors'),
    cache_hit_rate: column('cache_hit_rate'),
    energy_mid_j: column('energy_mid_j'),
    tokens: Object.fromEntries(BUCKETS.map((name) => [name, column(name)]))
  }
  return { sql: seriesSql(found.range, found.stepS, conditions), series }
}

const top = async (desk: Desk, range: Range, { by, where }: { by: string; where: string }) => {
  const rows = await desk.windows(
    range,
    `SELECT ${by} AS item, sum(n)::DOUBLE AS calls, sum(cost_pico)::VARCHAR AS cost_pico
     FROM windows WHERE ${where} GROUP BY 1
     ORDER BY sum(cost_pico) DESC NULLS LAST, calls DESC, item LIMIT ${TOP_MAX}`,
    null
  )
  return rows.map((row) => ({
    name: textOf(row['item']),
    calls: count(row['calls']),
    cost_usd: usdOf(row['cost_pico'])
  }))
}

const openFindings = async (desk: Desk, where: string) => {
  const rows = await desk.rows(`${await incidentsSql(desk)}
    SELECT severity, count(*)::DOUBLE AS n FROM incidents
    WHERE status = 'firing' AND ${where} GROUP BY 1`)
  const by = new Map(rows.map((row) => [String(row['severity']), count(row['n'])]))
  const total = [...by.values()].reduce((sum, n) => sum + n, 0)
  return {
    total,
    ...Object.fromEntries(SEVERITIES.map((severity) => [severity, by.get(severity) ?? 0]))
  }
}
