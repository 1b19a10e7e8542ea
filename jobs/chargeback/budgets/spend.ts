import type { Head } from '../../../services/lake/commit.ts'
import type { Engine } from '../../../services/lake/engine.ts'
import type { Lake } from '../../../services/lake/lake.ts'
import { quoted } from '../../../services/lake/parquet-writer.ts'
import { attach } from '../../../services/lake/snapshot.ts'
import { isBooked, settledDays } from '../ledger.ts'
import { timestampSql } from '../month.ts'
import { IS_CHARGED } from '../usage-sql.ts'
import type { Budget } from './budget-file.ts'

/**
 * What was spent day by day. Days that are booked count as charged, negotiated prices included;
 * of the others, and of what came to a booked day since, counts what was metered.
 */

export type DaySpend = { dayMs: number; pico: bigint; unpricedCalls: number }
export type ModelSpend = { model: string | null; pico: bigint }

export type Spend = {
  days: (budget: Budget) => Promise<DaySpend[]>
  /** The dearest models from a time on. */
  models: (budget: Budget, fromMs: number) => Promise<ModelSpend[]>
}

export type SpendOptions = {
  budgets: readonly Budget[]
  fromMs: number
  untilMs: number
  /** Labels that the ledger keeps: of others only events tell. */
  keptTags: readonly string[]
}

/** Enough to see where the money goes. */
const MODELS_MAX = 5

/** Adds up once what all budgets are about; answers come from these sums until it is called again. */
export const openSpend = async (
  doors: { engine: Engine; lake: Lake },
  head: Head,
  options: SpendOptions
): Promise<Spend> => {
  const { engine } = doors
  await attach(doors, head)
  await engine.run(`CREATE OR REPLACE TEMP TABLE spend AS ${spendSql(head, options)}`)
  return {
    days: async (budget) => {
      const rows =
        await engine.rows(`SELECT epoch_ms(day)::DOUBLE AS day, sum(pico)::VARCHAR AS pico,
        sum(unpriced)::DOUBLE AS unpriced FROM temp.spend WHERE ${whereOf(budget)} GROUP BY day ORDER BY day`)
      return rows.map((row) => ({
        dayMs: Number(row['day']),
        pico: BigInt(row['pico'] as string),
        unpricedCalls: Number(row['unpriced'])
      }))
    },
    models: async (budget, fromMs) => {
      const rows = await engine.rows(`SELECT model, sum(pico)::VARCHAR AS pico FROM temp.spend
        WHERE ${whereOf(budget)} AND day >= ${timestampSql(fromMs)}
        GROUP BY model HAVING sum(pico) > 0 ORDER BY sum(pico) DESC, model LIMIT ${MODELS_MAX}`)
      return rows.map(({ model, pico }) => ({
        model: (model as string | null) ?? null,
        pico: BigInt(pico as string)
      }))
    }
  }
}

/** The query behind a budget's figure, for `tally sql`. */
export const budgetQuery = (head: Head, budget: Budget, options: SpendOptions): string =>
  `SELECT day, model, sum(pico) / 1e12 AS usd, sum(unpriced) AS unpriced_calls FROM (${spendSql(head, { ...options, budgets: [budget] }).replaceAll('temp.', '')}) WHERE ${whereOf(budget)} GROUP BY ALL ORDER BY ALL`

const spendSql = (head: Head, options: SpendOptions): string => {
  const tags = [...new Set(options.budgets.flatMap((budget) => Object.keys(budget.tags)))]
  const days = tags.every((tag) => options.keptTags.includes(tag)) ? bookedDays(head, options) : []
  const sources = [
    meteredSql(tags, days, options),
    ...(days.length > 0 ? [chargedSql(tags, days)] : [])
  ]
  return `SELECT * EXCLUDE (pico, unpriced), coalesce(sum(pico), 0)::HUGEINT AS pico,
      sum(unpriced)::BIGINT AS unpriced FROM (${sources.join(' UNION ALL ')}) GROUP BY ALL`
}

const bookedDays = (head: Head, { fromMs, untilMs }: SpendOptions): number[] =>
  settledDays(head, untilMs)
    .filter((day) => day.dayMs >= fromMs && isBooked(head, day))
    .map(({ dayMs }) => dayMs)

const dayList = (daysMs: readonly number[]): string => `(${daysMs.map(timestampSql).join(', ')})`

const meteredSql = (
  tags: readonly string[],
  booked: readonly number[],
  { fromMs, untilMs }: SpendOptions
): string => `SELECT e.tenant, e.project, e.team${tagsSql(tags, 'e.tags')},
    coalesce(e.response_model, e.request_model) AS model, date_trunc('day', e.time) AS day,
    e.cost_pico AS pico, (e.cost_pico IS NULL AND (e.in_total IS NOT NULL OR e.out_total IS NOT NULL))::BIGINT AS unpriced
  FROM temp.events e WHERE ${IS_CHARGED}
    AND e.time >= ${timestampSql(fromMs)} AND e.time < ${timestampSql(untilMs)}
    ${booked.length > 0 ? `AND (e.provisional OR date_trunc('day', e.time) NOT IN ${dayList(booked)})` : ''}`

const chargedSql = (tags: readonly string[], booked: readonly number[]): string =>
  `SELECT tenant, project, team${tagsSql(tags, 'tags')}, model, charge_start AS day, billed_pico AS pico,
    CASE WHEN meter = 'calls' AND price_id IS NULL THEN quantity ELSE 0 END AS unpriced
  FROM temp.charges WHERE category = 'usage' AND charge_start IN ${dayList(booked)}`

const tagsSql = (tags: readonly string[], column: string): string =>
  tags
    .map((tag) => `, json_extract_string(${column}, ${quoted(`$."${tag}"`)}) AS "tag ${tag}"`)
    .join('')

const whereOf = ({ tenant, project, team, tags }: Budget): string =>
  [
    ...Object.entries({ tenant, project, team }).flatMap(([name, value]) =>
      value === undefined ? [] : [`${name} = ${quoted(value)}`]
    ),
    ...Object.entries(tags).map(([tag, value]) => `"tag ${tag}" = ${quoted(value)}`),
    'true'
  ].join(' AND ')
