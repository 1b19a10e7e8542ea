import { parseBudgets } from '../../../jobs/chargeback/budgets/budget-file.ts'
import {
  budgetStandings,
  budgetState,
  type BudgetState
} from '../../../jobs/chargeback/budgets/states.ts'
import { monthAt, parseMonth } from '../../../jobs/chargeback/month.ts'
import { openChargeSite, readText, type ChargeOptions } from '../charge-site.ts'
import { defineCommand, EXIT } from '../command.ts'

type Options = ChargeOptions & { budgets: string; month?: string; check?: true; json?: true }

export default defineCommand({
  summary: 'Show what is spent of each budget, and where the month will end.',
  configure: (command) => {
    command
      .requiredOption('--data <dir>', 'folder of the lake')
      .requiredOption('--budgets <file>', 'budgets by tenant, project, team or tags, YAML or JSON')
      .option('--rules <file>', 'allocation rules: labels that charges keep')
      .option('--month <month>', 'the month, such as 2026-10; the present one when not given')
      .option('--as-of <version>', 'as it stood at a version of the lake')
      .option('--check', 'exit 3 when a budget is spent or will be')
  },
  run: async ({ options, io }) => {
    const { budgets, month, check, json, ...site } = options as Options
    const wanted = parseBudgets(await readText(budgets))
    const opened = await openChargeSite(site)
    try {
      const nowMs = io.now().getTime()
      const span = month === undefined ? monthAt(nowMs) : parseMonth(month)
      const how = { budgets: wanted, month: span, untilMs: nowMs, keptTags: opened.rules.tags }
      const standings = await budgetStandings(opened, await opened.head(), how)
      const states = standings.map(budgetState)
      for (const one of states) {
        io.stdout.write(`${json === true ? JSON.stringify(one) : textOf(one)}\n`)
      }
      const isBad = states.some(({ state }) => state !== 'within')
      return check === true && isBad ? EXIT.findings : EXIT.ok
    } finally {
      opened.close()
    }
  }
})

const textOf = (state: BudgetState): string => {
  const ahead =
    state.forecast_usd === null
      ? 'month end not known yet'
      : `month end $${state.forecast_usd} ($${state.forecast_low_usd} to $${state.forecast_high_usd})`
  const unpriced = state.unpriced_calls === 0 ? '' : `, ${state.unpriced_calls} calls unpriced`
  return `${state.id}: $${state.spent_usd} of $${state.budget_usd}, ${ahead}, ${state.state}${unpriced}`
}
