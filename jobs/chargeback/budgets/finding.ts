import type { Finding } from '../../../schemas/finding.ts'
import { SPEND_BUDGET_SIGNAL } from '../../../schemas/incidents.ts'
import { formatDollars } from '../../../schemas/money.ts'
import { monthAt } from '../month.ts'
import type { OpenBudgetAlert } from './alerts.ts'
import { budgetState, dollarsText, type BudgetStanding } from './states.ts'

/** What findings about budgets say. */

export type AlertMoment = { untilMs: number; version: number; generation: string }

const CRITICAL_PERCENT = 100
const WARNING_PERCENT = 75

export const scopeOf = ({ budget, month }: BudgetStanding): Record<string, string> => ({
  budget: budget.id,
  month: month.name,
  ...(budget.project === undefined ? {} : { project: budget.project }),
  ...(budget.team === undefined ? {} : { team: budget.team }),
  ...Object.fromEntries(Object.entries(budget.tags).map(([tag, value]) => [`tag:${tag}`, value]))
})

const severityOf = (part: number | null): Finding['severity'] => {
  if (part === null) return 'warning'
  if (part >= CRITICAL_PERCENT) return 'critical'
  return part >= WARNING_PERCENT ? 'warning' : 'info'
}

const percentOf = ({ spentPico, budget }: BudgetStanding): number | null =>
  budget.usd === 0n ? null : Math.round((Number(spentPico) / Number(budget.usd)) * 1000) / 10

/** Percent that is reached; null = the forecast. */
type Told = { standing: BudgetStanding; part: number | null }

export const firing = (
  fingerprint: string,
  { standing, part }: Told,
  moment: AlertMoment
): Finding => {
  const { budget, usdPerHour, models, spentPico, query } = standing
  return {
    ...common(fingerprint, moment),
    status: 'firing',
    severity: severityOf(part),
    tenant: budget.tenant ?? null,
    scope: scopeOf(standing),
    summary: `${headOf(standing, part)}${tailOf(standing)}`,
    before: { budget_usd: formatDollars(budget.usd), alert_at_percent: part },
    after: figuresOf(standing, moment),
    cost_usd_per_hour: usdPerHour === null ? null : dollarsText(usdPerHour),
    contributors: models.map(({ model, pico }) => ({
      model,
      spent_usd: formatDollars(pico),
      share_percent: Math.round((Number(pico) / Number(spentPico)) * 1000) / 10
    })),
    query
  }
}

const headOf = (standing: BudgetStanding, part: number | null): string => {
  const { budget, month, spentPico } = standing
  const spent = `$${formatDollars(spentPico)} of $${formatDollars(budget.usd)}`
  if (part === null) return `Budget ${budget.id} will not last for ${month.name}: ${spent} is spent`
  const percent = percentOf(standing)
  const reached = percent === null ? '' : `, ${percent} % (told at ${part} %)`
  return `Budget ${budget.id} of ${month.name}: ${spent} is spent${reached}`
}

const tailOf = ({ forecast, unpricedCalls }: BudgetStanding): string => {
  const ahead =
    forecast === null
      ? ''
      : `; the month will end at $${dollarsText(forecast.mid_usd)} ($${dollarsText(forecast.low_usd)} to $${dollarsText(forecast.high_usd)}, 80 %)`
  return unpricedCalls === 0 ? `${ahead}.` : `${ahead}; ${unpricedCalls} calls have no price.`
}

const figuresOf = (standing: BudgetStanding, { version }: AlertMoment): Finding['after'] => {
  const { id: _, budget_usd: __, ...figures } = budgetState(standing)
  return { ...figures, spent_percent: percentOf(standing), lake_version: version }
}

type Ended = {
  alert: OpenBudgetAlert
  standing: BudgetStanding | undefined
  moment: AlertMoment
}

export const resolved = (fingerprint: string, { alert, standing, moment }: Ended): Finding => ({
  ...common(fingerprint, moment),
  status: 'resolved',
  severity: severityOf(alert.part),
  tenant: alert.tenant,
  scope: alert.scope,
  summary: endOf({ alert, standing, moment }),
  before: { budget_usd: alert.budgetUsd, alert_at_percent: alert.part },
  after: standing === undefined ? {} : figuresOf(standing, moment),
  cost_usd_per_hour: null,
  contributors: [],
  query:
    standing?.query ??
    `SELECT * FROM findings WHERE fingerprint = '${fingerprint}' ORDER BY sequence`
})

const endOf = ({ alert, standing, moment }: Ended): string => {
  const name = `Budget ${alert.budget} of ${alert.month}`
  if (alert.month !== monthAt(moment.untilMs - 1).name) return `${name}: the month is over.`
  if (standing === undefined) return `${name} is no longer set.`
  const now = formatDollars(standing.budget.usd)
  const change = now === alert.budgetUsd ? '' : ` is now $${now} instead of $${alert.budgetUsd}`
  return `${name}${change}: $${formatDollars(standing.spentPico)} is spent${tailOf(standing)}`
}

const common = (
  fingerprint: string,
  { untilMs, generation }: AlertMoment
): Pick<
  Finding,
  | 'signal'
  | 'fingerprint'
  | 'axis'
  | 'started_at'
  | 'detected_at'
  | 'culprit'
  | 'victims'
  | 'runbook'
  | 'generation'
> => {
  const at = new Date(untilMs).toISOString()
  return {
    signal: SPEND_BUDGET_SIGNAL,
    fingerprint,
    axis: null,
    started_at: at,
    detected_at: at,
    culprit: null,
    victims: [],
    runbook: `jobs/alert/runbooks/${SPEND_BUDGET_SIGNAL}.md`,
    generation
  }
}
