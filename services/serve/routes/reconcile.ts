import { z } from 'zod'
import { BillResult, readBills } from '../bills.ts'
import type { Desk } from '../desk.ts'
import { allOf } from '../literal.ts'
import { RangeQuery, rangeResult, RangeResult, readRange, withinSql, type Range } from '../range.ts'
import { count, lakeResult, LakeResult, numberOf, textOf, Usd, usdOf } from '../result.ts'
import { defineRoute } from '../route.ts'
import { tableSql } from '../tables.ts'
import { asTenant, TenantQuery } from '../tenant.ts'

/** More models than anybody compares side by side. */
const MODELS_MAX = 200
const ADJUSTMENTS_MAX = 500

const Side = z.strictObject({
  calls: z.int().describe('Calls with both counts.'),
  local_tokens: z.number().nullable(),
  reported_tokens: z.number().nullable(),
  drift_ratio: z.number().nullable().describe('Reported over local, less 1.'),
  mismatched_calls: z.number().nullable()
})

export default defineRoute({
  method: 'get',
  path: '/v1/reconcile',
  summary:
    'Local, reported and billed side by side: drift by model, bills, and what explains them.',
  scope: 'read',
  query: z.strictObject({ ...RangeQuery, ...TenantQuery }),
  result: z.strictObject({
    lake: LakeResult,
    range: RangeResult,
    bills: z.array(BillResult).describe('Empty while no bill was imported, and for one tenant.'),
    models: z.array(
      z.strictObject({
        provider: z.string().nullable(),
        model: z.string().nullable(),
        metered_usd: Usd.nullable(),
        unpriced_calls: z.int(),
        input: Side,
        output: Side
      })
    ),
    adjustments: z
      .array(
        z.strictObject({
          provider: z.string().nullable(),
          model: z.string().nullable(),
          rule: z.string().nullable(),
          billed_usd: Usd.nullable(),
          details: z.string().nullable().describe('Evidence, JSON.')
        })
      )
      .describe('What was booked to explain the gap between meter and bill.'),
    sql: z.string()
  }),
  answer: async (desk, input) => {
    const range = readRange(input, desk)
    const conditions = asTenant(desk, input.tenant)
    const sql = modelsSql(allOf(withinSql(range, 'window_start'), ...conditions))
    return {
      lake: lakeResult(desk),
      range: rangeResult(range),
      bills: input.tenant === undefined ? await readBills(desk, range) : [],
      models: (await desk.windows(range, sql, null)).map((row) => ({
        provider: textOf(row['provider']),
        model: textOf(row['model']),
        metered_usd: usdOf(row['cost_pico']),
        unpriced_calls: count(row['unpriced_calls']),
        input: side(row, 'in'),
        output: side(row, 'out')
      })),
      adjustments: await adjustments(desk, range, conditions),
      sql
    }
  }
})

const modelsSql = (where: string): string => {
  const sides = ['in', 'out'].flatMap((side) => [
    `coalesce(sum(drift_${side}_n), 0)::DOUBLE AS ${side}_calls`,
    `sum(drift_${side}_l)::DOUBLE AS ${side}_local`,
    `sum(drift_${side}_r)::DOUBLE AS ${side}_reported`,
    `sum(drift_${side}_r) / nullif(sum(drift_${side}_l), 0) - 1 AS ${side}_drift`,
    `sum(drift_${side}_mismatch)::DOUBLE AS ${side}_mismatched`
  ])
  return `SELECT provider, coalesce(response_model, request_model) AS model,
  sum(cost_pico)::HUGEINT::VARCHAR AS cost_pico, coalesce(sum(n_unpriced), 0)::DOUBLE AS unpriced_calls,
  ${sides.join(',\n  ')}
FROM windows WHERE ${where} AND n_usage > 0
GROUP BY ALL ORDER BY sum(cost_pico) DESC NULLS LAST, provider, model LIMIT ${MODELS_MAX}`
}

const side = (row: Record<string, unknown>, name: 'in' | 'out'): z.infer<typeof Side> => ({
  calls: count(row[`${name}_calls`]),
  local_tokens: numberOf(row[`${name}_local`]),
  reported_tokens: numberOf(row[`${name}_reported`]),
  drift_ratio: numberOf(row[`${name}_drift`]),
  mismatched_calls: numberOf(row[`${name}_mismatched`])
})

const adjustments = async (desk: Desk, range: Range, conditions: readonly string[]) => {
  // Evidence may name other tenants.
  const details = desk.access.tenant === null ? 'details' : 'NULL::VARCHAR'
  const rows = await desk.rows(`SELECT provider, model, rule,
      sum(billed_pico)::HUGEINT::VARCHAR AS billed, any_value(${details}) AS details
    FROM (${await tableSql(desk, 'charges')})
    WHERE ${allOf("category = 'adjustment'", withinSql(range, 'charge_start'), ...conditions)}
    GROUP BY ALL ORDER BY abs(sum(billed_pico)) DESC NULLS LAST, rule LIMIT ${ADJUSTMENTS_MAX}`)
  return rows.map((row) => ({
    provider: textOf(row['provider']),
    model: textOf(row['model']),
    rule: textOf(row['rule']),
    billed_usd: usdOf(row['billed']),
    details: textOf(row['details'])
  }))
}
