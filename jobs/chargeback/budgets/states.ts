import { formatDollars, roundUsd } from '../../../schemas/money.ts'
import type { Head } from '../../../services/lake/commit.ts'
import type { Engine } from '../../../services/lake/engine.ts'
import type { Lake } from '../../../services/lake/lake.ts'
import { everyDay, forecast, type Forecast } from '../../../services/serve/forecast.ts'
import { DAY_MS, type Month } from '../month.ts'
import type { Budget } from './budget-file.ts'
import { budgetQuery, openSpend, type DaySpend, type ModelSpend } from './spend.ts'

/** How budgets stand at a time: what is spent of them and where the month will end. */

export type BudgetStanding = {
  budget: Budget
  month: Month
  spentPico: bigint
  /** Calls with usage that no price is known for: the rest is more than it looks. */
  unpricedCalls: number
  /** Cost of the whole month with an 80 % interval; null = too few whole days are known. */
  forecast: Forecast | null
  /** Cost an hour on which the forecast rests; null without one. */
  usdPerHour: number | null
  models: ModelSpend[]
  /** SQL that reproduces what is spent. */
  query: string
}

export type StandingOptions = {
  budgets: readonly Budget[]
  month: Month
  /** Everything before it is known. */
  untilMs: number
  /** Labels that charges keep. */
  keptTags: readonly string[]
}

/** Days that the forecast looks back: two of each day of the week. */
const FORECAST_DAYS = 14

/** @returns standings in the order of the budgets. */
export const budgetStandings = async (
  doors: { engine: Engine; lake: Lake },
  head: Head,
  options: StandingOptions
): Promise<BudgetStanding[]> => {
  const { month } = options
  const untilMs = Math.min(options.untilMs, month.toMs)
  const span = { fromMs: Math.min(month.fromMs, lookBackMs(untilMs)), untilMs }
  const isKept = ({ tags }: Budget): boolean =>
    Object.keys(tags).every((tag) => options.keptTags.includes(tag))
  const standings = new Map<Budget, BudgetStanding>()
  // One with labels that charges don't keep must not send the others to the metered prices.
  for (const kept of [true, false]) {
    const budgets = options.budgets.filter((budget) => isKept(budget) === kept)
    if (budgets.length === 0) continue
    const asked = { ...span, budgets, keptTags: options.keptTags }
    const spend = await openSpend(doors, head, asked)
    for (const budget of budgets) {
      const query = budgetQuery(head, budget, { ...asked, fromMs: month.fromMs })
      const figures = standingOf(await spend.days(budget), { month, untilMs })
      const models = await spend.models(budget, month.fromMs)
      standings.set(budget, { budget, month, ...figures, models, query })
    }
  }
  return options.budgets.map((budget) => standings.get(budget)!)
}

const lookBackMs = (untilMs: number): number =>
  Math.floor(untilMs / DAY_MS) * DAY_MS - FORECAST_DAYS * DAY_MS

const standingOf = (
  days: readonly DaySpend[],
  { month, untilMs }: { month: Month; untilMs: number }
): Pick<BudgetStanding, 'spentPico' | 'unpricedCalls' | 'forecast' | 'usdPerHour'> => {
  const own = days.filter(({ dayMs }) => dayMs >= month.fromMs)
  const spentPico = own.reduce((sum, { pico }) => sum + pico, 0n)
  const daysLeft = (month.toMs - untilMs) / DAY_MS
  const costs = new Map(days.map(({ dayMs, pico }) => [dayMs, usd(pico)]))
  const past = { fromMs: lookBackMs(untilMs), toMs: Math.floor(untilMs / DAY_MS) * DAY_MS }
  const ahead = forecast(usd(spentPico), everyDay(costs, past), daysLeft)
  return {
    spentPico,
    unpricedCalls: own.reduce((sum, { unpricedCalls }) => sum + unpricedCalls, 0),
    forecast: ahead,
    usdPerHour:
      ahead === null || daysLeft === 0 ? null : (ahead.mid_usd - usd(spentPico)) / (daysLeft * 24)
  }
}

const usd = (pico: bigint): number => Number(pico) / 1e12

export type BudgetState = {
  id: string
  budget_usd: string
  spent_usd: string
  unpriced_calls: number
  /** Null = fewer than three whole days are known. */
  forecast_usd: string | null
  forecast_low_usd: string | null
  forecast_high_usd: string | null
  state: 'within' | 'forecast_over' | 'over'
}

/** A standing as it is printed. */
export const budgetState = (standing: BudgetStanding): BudgetState => {
  const { budget, spentPico, unpricedCalls, forecast: ahead } = standing
  const isAbove = (dollars: number): boolean => roundUsd(dollars) > budget.usd
  return {
    id: budget.id,
    budget_usd: formatDollars(budget.usd),
    spent_usd: formatDollars(spentPico),
    unpriced_calls: unpricedCalls,
    forecast_usd: ahead === null ? null : dollarsText(ahead.mid_usd),
    forecast_low_usd: ahead === null ? null : dollarsText(ahead.low_usd),
    forecast_high_usd: ahead === null ? null : dollarsText(ahead.high_usd),
    state:
      spentPico > budget.usd
        ? 'over'
        : ahead !== null && isAbove(ahead.mid_usd)
          ? 'forecast_over'
          : 'within'
  }
}

export const dollarsText = (dollars: number): string => formatDollars(roundUsd(dollars))
