import { parse } from 'yaml'
import { z } from 'zod'
import { Failure } from '../../../schemas/failure.ts'
import { parseUsd } from '../../../schemas/money.ts'

/** Budgets of a calendar month, by tenant, project, team or tags. */

const Usd = z
  .union([z.string(), z.number()])
  .transform(String)
  .refine((text) => /^\d{1,9}(\.\d{1,12})?$/.test(text), 'an amount in USD such as "500"')

const Budget = z.strictObject({
  /** Part of an alert's identity: a budget of another name is another one. */
  id: z.string().regex(/^[\w.-]{1,80}$/, 'a name of letters, digits, "-", "_" and "."'),
  usd: Usd.transform(parseUsd),
  tenant: z.string().min(1).optional(),
  project: z.string().min(1).optional(),
  team: z.string().min(1).optional(),
  /** Labels that events must carry. */
  tags: z.record(z.string().regex(/^[\w.-]+$/), z.string()).default({}),
  /** Parts of the budget that are told of when they are spent, in percent. */
  alert_at_percent: z
    .array(z.number().positive().max(1000))
    .max(10)
    .default([50, 80, 100])
    .transform((parts) => parts.toSorted((a, b) => a - b)),
  /** Whether it is told that the month will end above the budget. */
  alert_on_forecast: z.boolean().default(true)
})

const BudgetFile = z.strictObject({ budgets: z.array(Budget).min(1).max(1000) })
export type Budget = z.infer<typeof Budget>

const fileOf = (text: string): unknown => {
  try {
    return parse(text)
  } catch (cause) {
    throw new Failure('E_USAGE', `the budgets are no YAML: ${String(cause)}`, { cause })
  }
}

/** Reads a file of budgets, YAML or JSON. @throws Failure E_USAGE that names the place. */
export const parseBudgets = (text: string): Budget[] => {
  const file = BudgetFile.safeParse(fileOf(text))
  if (!file.success) {
    const [issue] = file.error.issues
    throw new Failure('E_USAGE', `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`, {
      hint: 'budgets: [{ id: acme, tenant: acme, usd: 500 }]'
    })
  }
  return unique(file.data.budgets)
}

/** Budgets that a table of tenants and amounts stands for. */
export const budgetsOfTenants = (usdByTenant: Readonly<Record<string, string>>): Budget[] =>
  Object.entries(usdByTenant).map(([tenant, usd]) =>
    Budget.parse({ id: tenant.replaceAll(/[^\w.-]/g, '_').slice(0, 80), tenant, usd })
  )

export const unique = (budgets: readonly Budget[]): Budget[] => {
  const ids = budgets.map(({ id }) => id)
  const twice = ids.find((id, index) => ids.indexOf(id) !== index)
  if (twice !== undefined) throw new Failure('E_USAGE', `two budgets are called ${twice}`)
  return [...budgets]
}
