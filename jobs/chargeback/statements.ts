import type { TableFile } from '../../services/lake/commit.ts'
import type { Engine } from '../../services/lake/engine.ts'
import { landTable } from '../../services/lake/land-table.ts'
import { quoted } from '../../services/lake/parquet-writer.ts'
import type { ChargeDoors } from './ledger.ts'

/**
 * The statements of a month, out of the rows that the ledger puts on it. `model`, `meter`,
 * `project`, `team` and `day` each split a tenant's total completely; the other sections point into it.
 * Cents go to the largest remainders: first over the tenants, so that they and what nobody pays sum
 * to the bill, then within each tenant and section, so that lines sum to the tenant's total.
 */

const PICO_PER_CENT = '10000000000::HUGEINT'
const IS_TOKENS = "(meter LIKE 'in\\_%' ESCAPE '\\' OR meter LIKE 'out\\_%' ESCAPE '\\')"
const IS_CALLS = "meter IN ('calls', 'calls_without_tokens')"
const NOBODY = "'(none)'"

/** Sections that split the total, and what their lines are. */
const SPLITS: Readonly<Record<string, string>> = {
  total: "'total'",
  model: `coalesce(model, ${NOBODY})`,
  meter: `coalesce(meter, ${NOBODY})`,
  project: `coalesce(project, ${NOBODY})`,
  team: `coalesce(team, ${NOBODY})`,
  day: "CASE WHEN charge_end - charge_start > INTERVAL 1 DAY THEN 'whole month' ELSE strftime(charge_start, '%Y-%m-%d') END"
}

const split = (section: string, item: string): string => {
  const quantity = section === 'meter' ? 'sum(quantity)' : `sum(quantity) FILTER (${IS_TOKENS})`
  const unit =
    section === 'meter'
      ? `CASE WHEN ${IS_TOKENS} THEN 'Tokens' WHEN meter LIKE 'unit:%' THEN substr(meter, 6) END`
      : "'Tokens'"
  return `SELECT tenant, '${section}' AS section, ${item} AS item, ${quantity} AS quantity,
    any_value(${unit}) AS unit, coalesce(sum(billed_pico), 0) AS cost_pico, true AS is_due,
    NULL::HUGEINT AS low, NULL::HUGEINT AS high
  FROM temp.month_rows WHERE NOT ${IS_CALLS} GROUP BY ALL`
}

type Aside = {
  section: string
  item: string
  quantity: string
  unit: string
  cost: string
  where: string
  range?: readonly [string, string]
}

const ASIDES: readonly Aside[] = [
  {
    section: 'calls',
    item: 'meter',
    quantity: 'sum(quantity)',
    unit: 'Calls',
    cost: 'NULL',
    where: IS_CALLS
  },
  {
    section: 'correction',
    item: "strftime(charge_start, '%Y-%m')",
    quantity: 'NULL',
    unit: '',
    cost: 'sum(billed_pico)',
    where: "charge_class = 'Correction'"
  },
  {
    section: 'adjustment',
    item: "provider || ': ' || rule",
    quantity: 'NULL',
    unit: '',
    cost: 'sum(billed_pico)',
    where: "category = 'adjustment'"
  },
  {
    section: 'allocation',
    item: "rule || ' of ' || coalesce(origin_tenant, 'nobody')",
    quantity: 'NULL',
    unit: '',
    cost: 'sum(billed_pico)',
    where: "category = 'allocation'"
  },
  {
    section: 'cache',
    item: "CASE WHEN meter = 'in_cache_read' THEN 'saved by reads' ELSE 'surcharge of writes' END",
    quantity: 'sum(quantity)',
    unit: 'Tokens',
    cost: 'sum(saved_pico)',
    where: 'saved_pico IS NOT NULL'
  },
  {
    section: 'waste',
    item: 'waste',
    quantity: `sum(quantity) FILTER (${IS_CALLS})`,
    unit: 'Calls',
    cost: 'sum(billed_pico)',
    where: 'waste IS NOT NULL'
  },
  {
    section: 'energy',
    item: "'estimate'",
    quantity: 'sum(energy_mid_uj)',
    unit: 'Microjoules',
    cost: 'NULL',
    where: 'energy_mid_uj IS NOT NULL',
    range: ['sum(energy_low_uj)', 'sum(energy_high_uj)']
  },
  {
    section: 'unpriced',
    item: `coalesce(provider || '/', '') || coalesce(model, ${NOBODY}) || ' ' || meter`,
    quantity: 'sum(quantity)',
    unit: 'Tokens',
    cost: 'NULL',
    where: "category = 'usage' AND billed_pico IS NULL"
  }
]

const aside = ({ section, item, quantity, unit, cost, where, range }: Aside): string =>
  `SELECT tenant, '${section}', ${item}, ${quantity}, ${unit === '' ? 'NULL' : quoted(unit)}, ${cost}, false,
    ${range?.[0] ?? 'NULL'}, ${range?.[1] ?? 'NULL'}
  FROM temp.month_rows WHERE ${where} GROUP BY ALL`

/** Table `statement_lines` from the view `month_rows`, tenants that stand for nobody as null. */
const exactLines = (): string =>
  [
    ...Object.entries(SPLITS).map(([section, item]) => split(section, item)),
    ...ASIDES.map(aside)
  ].join('\nUNION ALL ')

/** Rounds the parts of each group so that they sum to its target, by largest remainder. */
const rounded = (relation: string, group: string, target: string, order: string): string =>
  `SELECT * EXCLUDE (whole, rest, target), whole + (row_number() OVER (PARTITION BY ${group}
      ORDER BY rest DESC, ${order}) <= target - sum(whole) OVER (PARTITION BY ${group}))::INTEGER AS cents
   FROM (SELECT *, floor_div(cost_pico, ${PICO_PER_CENT}) AS whole,
      cost_pico - floor_div(cost_pico, ${PICO_PER_CENT}) * ${PICO_PER_CENT} AS rest, ${target} AS target
    FROM ${relation})`

const CREATE_MACROS = `
CREATE OR REPLACE TEMP MACRO floor_div(a, b) AS (a // b) - (CASE WHEN a % b < 0 THEN 1 ELSE 0 END);
CREATE OR REPLACE TEMP MACRO nearest_cent(a) AS
  sign(a)::HUGEINT * ((abs(a) + ${PICO_PER_CENT} // 2) // ${PICO_PER_CENT})`

export type Totals = {
  billCents: bigint
  tenantsCents: bigint
  unallocatedCents: bigint
  billPico: bigint
}

/** Makes the table `statement_lines` of a month and says what it sums to. */
export const makeStatements = async (engine: Engine): Promise<Totals> => {
  await engine.run(CREATE_MACROS)
  const totals = rounded(
    `(SELECT tenant, cost_pico::HUGEINT AS cost_pico FROM temp.exact_lines WHERE section = 'total')`,
    '1',
    "(SELECT nearest_cent(coalesce(sum(cost_pico), 0)::HUGEINT) FROM temp.exact_lines WHERE section = 'total')",
    'tenant NULLS LAST'
  )
  await engine.run(`CREATE OR REPLACE TEMP TABLE exact_lines AS ${exactLines()};
    CREATE OR REPLACE TEMP TABLE tenant_totals AS ${totals};
    CREATE OR REPLACE TEMP TABLE statement_lines AS
    SELECT tenant, section, item, quantity, unit, cost_pico, cents, low, high FROM (${rounded(
      `(SELECT e.* REPLACE (e.cost_pico::HUGEINT AS cost_pico), t.cents AS tenant_cents FROM temp.exact_lines e
        JOIN temp.tenant_totals t ON t.tenant IS NOT DISTINCT FROM e.tenant WHERE e.is_due)`,
      'tenant, section',
      'tenant_cents',
      'item'
    )})
    UNION ALL SELECT tenant, section, item, quantity, unit, cost_pico, NULL, low, high
    FROM temp.exact_lines WHERE NOT is_due`)
  return totalsOf(engine)
}

/** The same for a closed month: its lines are those that were frozen, whatever the rules say now. */
export const frozenStatements = async (engine: Engine, month: string): Promise<Totals> => {
  await engine.run(`CREATE OR REPLACE TEMP TABLE statement_lines AS
    SELECT * EXCLUDE (month, filename) FROM temp.statements WHERE month = ${quoted(month)}`)
  return totalsOf(engine)
}

const totalsOf = async (engine: Engine): Promise<Totals> => {
  const [row] = await engine.rows(`SELECT coalesce(sum(cents), 0)::VARCHAR AS bill,
    coalesce(sum(cents) FILTER (tenant IS NOT NULL), 0)::VARCHAR AS tenants,
    coalesce(sum(cents) FILTER (tenant IS NULL), 0)::VARCHAR AS unallocated,
    coalesce(sum(cost_pico), 0)::VARCHAR AS pico
    FROM temp.statement_lines WHERE section = 'total'`)
  const of = (name: string): bigint => BigInt((row?.[name] as string | undefined) ?? '0')
  return {
    billCents: of('bill'),
    tenantsCents: of('tenants'),
    unallocatedCents: of('unallocated'),
    billPico: of('pico')
  }
}

/** Lands `statement_lines` as rows of a month. */
export const landStatements = (doors: ChargeDoors, month: string): Promise<TableFile | null> =>
  landTable(doors, {
    table: 'statements',
    sql: `SELECT ${quoted(month)} AS month, tenant, section, item, quantity::BIGINT AS quantity, unit,
        cost_pico::BIGINT AS cost_pico, cents::BIGINT AS cents, low::BIGINT AS low, high::BIGINT AS high
      FROM temp.statement_lines ORDER BY tenant NULLS LAST, section, item`,
    time: null
  })
