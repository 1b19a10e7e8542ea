import { z } from 'zod'
import type { Finding } from '../../../schemas/finding.ts'
import { SPEND_BUDGET_SIGNAL } from '../../../schemas/incidents.ts'
import { formatDollars, roundUsd } from '../../../schemas/money.ts'
import { firing, resolved, scopeOf, type AlertMoment } from './finding.ts'
import type { BudgetStanding } from './states.ts'

/**
 * Which alerts about budgets open, change and end. Two for each budget and month: what is spent,
 * by the highest part that is reached, and a month that will end above the budget.
 */

/** What is told and not ended. Kept in the lake's state, so that nobody tells it twice. */
export const OpenBudgetAlert = z.strictObject({
  budget: z.string(),
  month: z.string(),
  tenant: z.string().nullable(),
  scope: z.record(z.string(), z.string()),
  /** Percent of the budget; null = the forecast. */
  part: z.number().nullable(),
  budgetUsd: z.string()
})
export type OpenBudgetAlert = z.infer<typeof OpenBudgetAlert>
export type OpenBudgetAlerts = Readonly<Record<string, OpenBudgetAlert>>

export type BudgetTurn = { findings: Finding[]; open: Record<string, OpenBudgetAlert> }

/**
 * A part that was reached counts as reached until spending falls this far below it: settling takes
 * duplicates away, and bookings negotiated discounts.
 */
const FALL_MIN = 0.05

/** Pure: what is open and how budgets stand give what is told, and what is open then. */
export const turnBudgets = (
  open: OpenBudgetAlerts,
  standings: readonly BudgetStanding[],
  moment: AlertMoment
): BudgetTurn => {
  const wanted = new Map<string, Wanted>()
  for (const standing of standings) {
    for (const kind of KINDS) {
      const fingerprint = fingerprintOf(standing, kind)
      const part = PARTS[kind](standing, open[fingerprint])
      if (part !== undefined) wanted.set(fingerprint, { standing, part })
    }
  }
  const byBudget = new Map(standings.map((standing) => [standing.budget.id, standing]))
  const ended = Object.entries(open).filter(([fingerprint]) => !wanted.has(fingerprint))
  const changed = [...wanted].filter(
    ([fingerprint, { part }]) => open[fingerprint] === undefined || open[fingerprint].part !== part
  )
  return {
    findings: [
      ...ended.map(([fingerprint, alert]) =>
        resolved(fingerprint, { alert, standing: byBudget.get(alert.budget), moment })
      ),
      ...changed.map(([fingerprint, one]) => firing(fingerprint, one, moment))
    ],
    open: Object.fromEntries(
      [...wanted]
        .map(([fingerprint, one]): [string, OpenBudgetAlert] => [fingerprint, openOf(one)])
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
    )
  }
}

const KINDS = ['spent', 'forecast'] as const
type Kind = (typeof KINDS)[number]
/** Percent that is reached; null = the forecast. */
type Wanted = { standing: BudgetStanding; part: number | null }

const fingerprintOf = ({ budget, month }: BudgetStanding, kind: Kind): string =>
  `${SPEND_BUDGET_SIGNAL}/${budget.id}/${month.name}/${kind}`

/** Undefined = nothing to tell. */
type Part = (
  standing: BudgetStanding,
  before: OpenBudgetAlert | undefined
) => number | null | undefined

const reachedPart: Part = ({ budget, spentPico }, before) => {
  const isSame = before !== undefined && before.budgetUsd === formatDollars(budget.usd)
  const isReached = (part: number): boolean => {
    const kept = isSame && before.part !== null && part <= before.part ? 1 - FALL_MIN : 1
    return spentPico > 0n && Number(spentPico) >= (kept * part * Number(budget.usd)) / 100
  }
  return budget.alert_at_percent.findLast(isReached)
}

/** Told when nine in ten such months end above the budget; taken back when fewer than half do. */
const forecastPart: Part = ({ budget, spentPico, forecast }, before) => {
  if (!budget.alert_on_forecast) return undefined
  const isAbove = (dollars: number): boolean => roundUsd(dollars) > budget.usd
  if (before !== undefined) {
    // While too little is known to say otherwise, what was said stands.
    return forecast === null || isAbove(forecast.mid_usd) ? null : undefined
  }
  // What is spent already is told as that.
  const isNews = forecast !== null && spentPico <= budget.usd && isAbove(forecast.low_usd)
  return isNews ? null : undefined
}

const PARTS: Readonly<Record<Kind, Part>> = { spent: reachedPart, forecast: forecastPart }

const openOf = ({ standing, part }: Wanted): OpenBudgetAlert => ({
  budget: standing.budget.id,
  month: standing.month.name,
  tenant: standing.budget.tenant ?? null,
  scope: scopeOf(standing),
  part,
  budgetUsd: formatDollars(standing.budget.usd)
})
