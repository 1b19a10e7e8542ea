import {
  budgetsOfTenants,
  parseBudgets,
  unique,
  type Budget
} from '../../../jobs/chargeback/budgets/budget-file.ts'
import { parseRules } from '../../../jobs/chargeback/rules.ts'
import { formatUsd } from '../../../schemas/money.ts'
import { parseContracts } from '../../rates/prices/contracts.ts'
import { readText } from '../charge-site.ts'
import type { Settings } from '../config/settings.ts'
import type { MoneySettings } from './money-jobs.ts'

export type Money = { money: MoneySettings; budgetsUsd: Record<string, string> }

/** Settings about money, with their files read. @throws Failure that names what is wrong. */
export const readMoney = async (settings: Settings): Promise<Money> => {
  const { contracts, rules, close_day: day, close } = settings
  if (contracts !== null) parseContracts(await readText(contracts))
  if (rules !== null) parseRules(await readText(rules))
  const budgets = unique([
    ...(settings.budgets === null ? [] : parseBudgets(await readText(settings.budgets))),
    ...budgetsOfTenants(settings.budgets_usd)
  ])
  return {
    money: {
      budgets,
      ...(contracts === null ? {} : { contracts }),
      ...(rules === null ? {} : { rules }),
      clock: day === null ? null : { day, freeze: close === 'freeze' }
    },
    budgetsUsd: { ...usdByTenant(budgets), ...settings.budgets_usd }
  }
}

/** Budgets of whole tenants, as the page shows them: the least one where there are several. */
const usdByTenant = (budgets: readonly Budget[]): Record<string, string> =>
  Object.fromEntries(
    budgets
      .filter(({ project, team, tags }) => !project && !team && Object.keys(tags).length === 0)
      .toSorted((a, b) => (a.usd < b.usd ? 1 : -1))
      .flatMap(({ tenant, usd }) => (tenant === undefined ? [] : [[tenant, formatUsd(usd)]]))
  )
