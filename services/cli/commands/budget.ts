import { budgetStates, parseBudgets } from '../../../jobs/chargeback/budget.ts'
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
      const how = { budgets: wanted, month: span, nowMs }
      const states = await budgetStates(opened, await opened.head(), how)
      for (const one of states) {
        const text = `${one.id}: $${one.spent_usd} of $${one.budget_usd}, month end $${one.forecast_usd ?? '?'}, ${one.state}`
        io.stdout.write(`${json === true ? JSON.stringify(one) : text}\n`)
      }
      const isBad = states.some(({ state }) => state !== 'within')
      return check === true && isBad ? EXIT.findings : EXIT.ok
    } finally {
      opened.close()
    }
  }
})
