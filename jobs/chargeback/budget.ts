import { parse } from 'yaml'
import { z } from 'zod'
import { Failure } from '../../schemas/failure.ts'
import { formatDollars, parseUsd } from '../../schemas/money.ts'
import type { Head } from '../../services/lake/commit.ts'
import type { Engine } from '../../services/lake/engine.ts'
import type { Lake } from '../../services/lake/lake.ts'
import { quoted } from '../../services/lake/parquet-writer.ts'
import { attach } from '../../services/lake/snapshot.ts'
import { DAY_MS, timestampSql, type Month } from './month.ts'

/** Budgets of a month, what is spent of them and where the month will end. */

const Budget = z
  .strictObject({
    id: z.string().min(1),
    usd: z.union([z.string(), z.number()]).transform(String),
    tenant: z.string().optional(),
    project: z.string().optional(),
    team: z.string().optional(),
    /** Labels that events must carry. */
    tags: z.record(z.string().regex(/^[\w.-]+$/), z.string()).default({})
  })
  .strict()

const BudgetFile = z.strictObject({ budgets: z.array(Budget).min(1) })
export type Budget = z.infer<typeof Budget>

/** Reads a file of budgets, YAML or JSON. @throws Failure E_USAGE that names the place. */
export const parseBudgets = (text: string): Budget[] => {
  const file = BudgetFile.safeParse(parse(text))
  if (file.success) return file.data.budgets
  const [issue] = file.error.issues
  throw new Failure('E_USAGE', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, {
    hint: 'budgets: [{ id: acme, tenant: acme, usd: 500 }]'
  })
}

export type BudgetState = {
  id: string
  budget_usd: string
  spent_usd: string
  /** Calls with usage that no price is known for: the rest is more than it looks. */
  unpriced_calls: number
  /** Month end, when the days left are like the last seven whole ones; null = no whole day yet. */
  forecast_usd: string | null
  state: 'within' | 'forecast_over' | 'over'
}

/** Days that the forecast goes by: a week, so that each weekday counts once. */
const DAYS_LOOKED_AT = 7

/** How each budget stands at a time, at metered prices, settled or not. */
export const budgetStates = async (
  doors: { engine: Engine; lake: Lake },
  head: Head,
  { budgets, month, nowMs }: { budgets: readonly Budget[]; month: Month; nowMs: number }
): Promise<BudgetState[]> => {
  await attach(doors, head)
  const states: BudgetState[] = []
  for (const budget of budgets) states.push(await stateOf(doors.engine, { budget, month, nowMs }))
  return states
}

type Asked = { budget: Budget; month: Month; nowMs: number }

const stateOf = async (engine: Engine, { budget, month, nowMs }: Asked): Promise<BudgetState> => {
  const todayMs = Math.floor(Math.min(nowMs, month.toMs) / DAY_MS) * DAY_MS
  const fromMs = Math.max(month.fromMs, todayMs - DAYS_LOOKED_AT * DAY_MS)
  const [row] = await engine.rows(`SELECT coalesce(sum(cost_pico), 0)::VARCHAR AS spent,
      coalesce(sum(cost_pico) FILTER (time < ${timestampSql(todayMs)}), 0)::VARCHAR AS until_today,
      coalesce(sum(cost_pico) FILTER (time >= ${timestampSql(fromMs)} AND time < ${timestampSql(todayMs)}), 0)::VARCHAR AS lately,
      count_if(cost_pico IS NULL AND (in_total IS NOT NULL OR out_total IS NOT NULL)) AS unpriced
    FROM temp.events WHERE time >= ${timestampSql(month.fromMs)} AND time < ${timestampSql(month.toMs)}
      AND kind NOT IN ('agent', 'evaluation') AND ${whereOf(budget)}`)
  const of = (name: string): bigint => BigInt(row?.[name] as string)
  const daysSeen = BigInt(Math.max(0, (todayMs - fromMs) / DAY_MS))
  const daysLeft = BigInt((month.toMs - todayMs) / DAY_MS)
  const limit = parseUsd(budget.usd)
  const [spent, byDay] = [of('spent'), of('until_today')]
  const ahead = daysSeen === 0n ? null : byDay + (of('lately') * daysLeft) / daysSeen
  // Today may already be dearer than a day of last week.
  const forecast = ahead === null ? null : ahead > spent ? ahead : spent
  return {
    id: budget.id,
    budget_usd: formatDollars(limit),
    spent_usd: formatDollars(spent),
    unpriced_calls: Number(row?.['unpriced']),
    forecast_usd: forecast === null ? null : formatDollars(forecast),
    state:
      spent > limit ? 'over' : forecast !== null && forecast > limit ? 'forecast_over' : 'within'
  }
}

const whereOf = ({ tenant, project, team, tags }: Budget): string =>
  [
    ...Object.entries({ tenant, project, team }).flatMap(([name, value]) =>
      value === undefined ? [] : `${name} = ${quoted(value)}`
    ),
    ...Object.entries(tags).map(
      ([tag, value]) => `json_extract_string(tags, ${quoted(`$."${tag}"`)}) = ${quoted(value)}`
    ),
    'true'
  ].join(' AND ')
