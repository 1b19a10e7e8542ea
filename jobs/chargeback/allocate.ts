import { allocate } from '../../schemas/money.ts'
import type { Head } from '../../services/lake/commit.ts'
import type { Engine } from '../../services/lake/engine.ts'
import { quoted } from '../../services/lake/parquet-writer.ts'
import { addRows, LEDGER, type LedgerRow } from './ledger-rows.ts'
import type { Month } from './month.ts'
import type { AllocationRule, Rules } from './rules.ts'

/**
 * Moves costs by the rules, on what a month's statements hold when it is closed: what a rule takes
 * goes off its origin and onto its receivers, to the pico-dollar, so sums stay as they are. The
 * first rule that matches a row has it.
 */
export const addAllocations = async (
  engine: Engine,
  head: Head,
  { month, rules }: { month: Month; rules: Rules }
): Promise<void> => {
  const taken: string[] = []
  const rows: LedgerRow[] = []
  for (const rule of rules.rules) {
    const where = [matchSql(rule.match), ...taken.map((other) => `NOT (${other})`)].join(' AND ')
    rows.push(...(await rowsOf(engine, { rule, month, where })))
    taken.push(matchSql(rule.match))
  }
  await addRows(engine, head, rows)
}

type Rule = { rule: AllocationRule; month: Month; where: string }

const matchSql = (match: AllocationRule['match']): string =>
  `(${Object.entries(match)
    .map(
      ([name, wanted]) =>
        `(${(wanted ?? []).map((one) => `coalesce(${nameSql(name, one)}, false)`).join(' OR ')})`
    )
    .join(' AND ')})`

const nameSql = (column: string, wanted: string): string =>
  wanted.endsWith('*')
    ? `starts_with(${column}, ${quoted(wanted.slice(0, -1))})`
    : `${column} = ${quoted(wanted)}`

const rowsOf = async (engine: Engine, { rule, month, where }: Rule): Promise<LedgerRow[]> => {
  const origins =
    await engine.rows(`SELECT tenant, provider, model, meter, sum(billed_pico)::VARCHAR AS pico
    FROM ${LEDGER} WHERE month = ${quoted(month.name)} AND category <> 'allocation'
      AND billed_pico IS NOT NULL AND ${where}
    GROUP BY ALL HAVING sum(billed_pico) <> 0 ORDER BY ALL`)
  const receivers = await receiversOf(engine, { rule, month, where })
  if (receivers.length === 0) return []
  return origins.flatMap((origin) => {
    const text = (name: string): string | null => origin[name] as string | null
    const line = {
      category: 'allocation' as const,
      month: month.name,
      charge_start: month.fromMs,
      charge_end: month.toMs,
      provider: text('provider'),
      model: text('model'),
      meter: text('meter'),
      rule: rule.id,
      origin_tenant: text('tenant')
    }
    const pico = BigInt(text('pico') ?? '0')
    const parts = allocate(
      pico,
      receivers.map(({ weight }) => weight),
      1n
    )
    return [
      { ...line, tenant: text('tenant'), billed_pico: -pico },
      ...receivers.map(({ tenant, details }, index) => ({
        ...line,
        tenant,
        billed_pico: parts[index] ?? 0n,
        details
      }))
    ]
  })
}

type Receiver = { tenant: string; weight: bigint; details: string }

/** Receivers with their weights, and what FOCUS tells about the share of each. */
const receiversOf = async (engine: Engine, options: Rule): Promise<Receiver[]> => {
  const weights = await weightsOf(engine, options)
  const sum = weights.reduce((total, { weight }) => total + weight, 0n)
  return weights.map(({ tenant, weight }) => ({
    tenant,
    weight,
    details: JSON.stringify({
      Elements: [
        {
          AllocatedRatio: Number(weight) / Number(sum),
          UsageUnit: unitOf(options.rule),
          UsageQuantity: Number(weight)
        }
      ]
    })
  }))
}

const weightsOf = async (
  engine: Engine,
  { rule, month, where }: Rule
): Promise<{ tenant: string; weight: bigint }[]> => {
  if (rule.method === 'direct') return [{ tenant: rule.to, weight: 1n }]
  if (rule.method === 'fixed') {
    return Object.entries(rule.shares).map(([tenant, share]) => ({ tenant, weight: BigInt(share) }))
  }
  const { by, to, match } = rule
  const only = to === undefined ? 'true' : `tenant IN (${to.map(quoted).join(', ')})`
  // What is shared within a prompt cache is shared by those who use that cache.
  const pool = match.cache_pool === undefined ? 'true' : matchSql({ cache_pool: match.cache_pool })
  const rows = await engine.rows(`SELECT tenant, ${BASES[by].sql}::VARCHAR AS weight FROM ${LEDGER}
    WHERE month = ${quoted(month.name)} AND category = 'usage' AND tenant IS NOT NULL
      AND ${only} AND ${pool} AND NOT (${where})
    GROUP BY tenant HAVING ${BASES[by].sql} > 0 ORDER BY tenant`)
  return rows.map((row) => ({
    tenant: row['tenant'] as string,
    weight: BigInt(row['weight'] as string)
  }))
}

const BASES = {
  cost: { sql: 'sum(billed_pico)', unit: 'Picodollars' },
  tokens: { sql: "sum(quantity) FILTER (meter LIKE 'in%' OR meter LIKE 'out%')", unit: 'Tokens' },
  calls: { sql: "sum(quantity) FILTER (meter LIKE 'calls%')", unit: 'Calls' },
  cache_reads: { sql: "sum(quantity) FILTER (meter = 'in_cache_read')", unit: 'Tokens' }
} as const

const unitOf = (rule: AllocationRule): string =>
  rule.method === 'proportional' ? BASES[rule.by].unit : 'Shares'
