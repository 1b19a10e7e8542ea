import { z } from 'zod'
import { SPEND_BUDGET_SIGNAL } from '../../../schemas/incidents.ts'
import { closedAt } from '../close-state.ts'
import type { Desk } from '../desk.ts'
import { Incident, readIncidents } from '../findings.ts'
import { everyDay, forecast, ForecastResult } from '../forecast.ts'
import { allOf, sqlText } from '../literal.ts'
import { monthAt, MonthName, monthRange } from '../month.ts'
import { DAY_MS, HOUR_MS, withinSql, type Range } from '../range.ts'
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
import { readStatement, StatementLine } from '../statement.ts'
import { asTenant, Name } from '../tenant.ts'

/** Days that the forecast looks back: two of each day of the week. */
const FORECAST_DAYS = 14
const LINES_MAX = 100

export default defineRoute({
  method: 'get',
  path: '/v1/tenants/{tenant}',
  summary: "A tenant's month: statement to date, by model and day, budget and forecast.",
  scope: 'read',
  params: z.strictObject({ tenant: Name }),
  query: z.strictObject({ month: MonthName.optional() }),
  result: z.strictObject({
    lake: LakeResult,
    tenant: z.string(),
    month: MonthName,
    closed_at: z.iso.datetime().nullable().describe('When the month was closed; null = open.'),
    totals: Totals,
    by_model: z.array(
      z.strictObject({ model: z.string().nullable(), calls: z.int(), cost_usd: Usd.nullable() })
    ),
    by_day: z.strictObject({
      day: z.array(z.iso.date()),
      cost_usd: z.array(z.number().nullable()),
      calls: z.array(z.number())
    }),
    statement: z.array(StatementLine).describe('Lines of the statement as booked; may be empty.'),
    budget_usd: Usd.nullable(),
    budget_alerts: z
      .array(Incident.pick({ fingerprint: true, severity: true, detected_at: true, summary: true }))
      .describe("The tenant's budgets that are told of now."),
    forecast: ForecastResult.nullable(),
    sql: z.string()
  }),
  answer: async (desk, { tenant, month = monthAt(desk.dataUntilMs ?? desk.nowMs) }) => {
    const where = allOf(...asTenant(desk, tenant))
    const range = monthRange(month)
    const sql = `SELECT ${TOTALS_SQL}\nFROM windows WHERE ${withinSql(range, 'window_start')} AND ${where}`
    const [row] = await desk.windows(range, sql, null)
    const totals = totalsOf(row ?? {})
    return {
      lake: lakeResult(desk),
      tenant,
      month,
      closed_at: closedAt(desk, month),
      totals,
      by_model: await byModel(desk, range, where),
      by_day: await byDay(desk, range, where),
      statement: await readStatement(desk, `month = ${sqlText(month)} AND ${where}`),
      budget_usd: desk.budgetsUsd[tenant] ?? null,
      budget_alerts: await budgetAlerts(desk, tenant),
      forecast: await monthForecast(desk, { range, where, soFarUsd: Number(totals.cost_usd ?? 0) }),
      sql
    }
  }
})

/** A card on a page: two alerts for each of ten budgets. */
const ALERTS_MAX = 20

const budgetAlerts = async (desk: Desk, tenant: string) => {
  const isOurs = [`signal = ${sqlText(SPEND_BUDGET_SIGNAL)}`, "status = 'firing'"]
  const where = allOf(...asTenant(desk, tenant), ...isOurs)
  const found = await readIncidents(desk, { where, limit: ALERTS_MAX })
  return found.map(({ fingerprint, severity, detected_at, summary }) => ({
    fingerprint,
    severity,
    detected_at,
    summary
  }))
}

const byModel = async (desk: Desk, range: Range, where: string) => {
  const rows = await desk.windows(
    range,
    `SELECT coalesce(response_model, request_model) AS model, sum(n)::DOUBLE AS calls,
       sum(cost_pico)::VARCHAR AS cost_pico
     FROM windows WHERE ${where} GROUP BY 1
     ORDER BY sum(cost_pico) DESC NULLS LAST, model LIMIT ${LINES_MAX}`,
    null
  )
  return rows.map((row) => ({
    model: textOf(row['model']),
    calls: count(row['calls']),
    cost_usd: usdOf(row['cost_pico'])
  }))
}

const readDays = (desk: Desk, range: Range, where: string) =>
  desk.windows(
    range,
    `SELECT strftime(window_start AT TIME ZONE 'UTC', '%Y-%m-%d') AS day,
       sum(cost_pico) / 1e12 AS cost_usd, sum(n)::DOUBLE AS calls
     FROM windows WHERE ${where} GROUP BY 1 ORDER BY 1`,
    DAY_MS / 1000
  )

const byDay = async (desk: Desk, range: Range, where: string) => {
  const rows = await readDays(desk, range, where)
  return {
    day: rows.map((row) => String(row['day'] as string)),
    cost_usd: rows.map((row) => numberOf(row['cost_usd'])),
    calls: rows.map((row) => count(row['calls']))
  }
}

type Known = { range: Range; where: string; soFarUsd: number }

/** Null for months that are over, and while there are too few whole days to go by. */
const monthForecast = async (desk: Desk, { range, where, soFarUsd }: Known) => {
  const endMs = desk.dataUntilMs
  if (endMs === null || endMs >= range.toMs || endMs < range.fromMs) return null
  const dayMs = Math.floor(endMs / DAY_MS) * DAY_MS
  const past: Range = { fromMs: dayMs - FORECAST_DAYS * DAY_MS, toMs: dayMs, grain: 'hour' }
  const costs = (await readDays(desk, past, where)).map((row): [number, number] => [
    Date.parse(String(row['day'] as string)),
    numberOf(row['cost_usd']) ?? 0
  ])
  const untilMs = Math.floor(endMs / HOUR_MS) * HOUR_MS
  return forecast(soFarUsd, everyDay(new Map(costs), past), (range.toMs - untilMs) / DAY_MS)
}
