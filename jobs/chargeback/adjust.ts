import { allocate, formatUsd } from '../../schemas/money.ts'
import type { Head } from '../../services/lake/commit.ts'
import type { Engine } from '../../services/lake/engine.ts'
import { quoted } from '../../services/lake/parquet-writer.ts'
import { billingProvider } from '../../services/rates/prices/billing-names.ts'
import { BILLS_NOW } from '../bills-now.ts'
import { closedMonths, openMonth } from './closes.ts'
import { addRows, LEDGER, type LedgerRow } from './ledger-rows.ts'
import { DAY_MS, parseMonth, timestampSql, type Month } from './month.ts'
import type { Rules } from './rules.ts'

/**
 * Where a provider's bill is at hand, what it asks beyond the recorded usage of the same days
 * becomes a line of its own, so that a month sums to its bills. A bill that comes or changes after
 * its month was closed becomes a correction of that month. Who bears it is the rules' choice;
 * unless they say otherwise nobody is charged for calls that were not recorded.
 */
export const addAdjustments = async (
  engine: Engine,
  head: Head,
  { month, rules }: { month: Month; rules: Rules }
): Promise<void> => {
  for (const name of new Set([...closedMonths(head), month.name])) {
    for (const bill of await billsOf(engine, parseMonth(name))) {
      const isClosed = name !== month.name
      const statement = isClosed ? openMonth(head, name) : name
      await addAdjustment(engine, head, {
        bill,
        charged: parseMonth(name),
        statement,
        isClosed,
        rules
      })
    }
  }
}

/** What a provider bills for the days of a month that its bill covers. */
type Bill = { provider: string; fromMs: number; toMs: number; pico: bigint }

const billsOf = async (engine: Engine, { fromMs, toMs }: Month): Promise<Bill[]> => {
  const rows = await engine.rows(`SELECT provider, sum(amount_pico)::VARCHAR AS pico,
      epoch_ms(min(bucket_start)) AS from_ms, epoch_ms(max(bucket_end)) AS to_ms
    FROM ${BILLS_NOW} WHERE amount_pico IS NOT NULL
      AND bucket_start >= ${timestampSql(fromMs)} AND bucket_start < ${timestampSql(toMs)}
    GROUP BY provider ORDER BY provider`)
  return rows.map(({ provider, pico, from_ms: from, to_ms: to }) => ({
    provider: provider as string,
    pico: BigInt(pico as string),
    fromMs: Math.floor(Number(from) / DAY_MS) * DAY_MS,
    toMs: Math.min(toMs, Math.ceil(Number(to) / DAY_MS) * DAY_MS)
  }))
}

type Adjustment = {
  bill: Bill
  charged: Month
  statement: string
  isClosed: boolean
  rules: Rules
}

const addAdjustment = async (
  engine: Engine,
  head: Head,
  { bill, charged, statement, isClosed, rules }: Adjustment
): Promise<void> => {
  const spent = await spending(engine, bill)
  const recorded = spent.reduce((sum, { pico }) => sum + pico, 0n)
  const rest = bill.pico - recorded - (await adjusted(engine, bill.provider, charged))
  if (rest === 0n) return
  const details = JSON.stringify({
    billed_usd: formatUsd(bill.pico),
    recorded_usd: formatUsd(recorded),
    from: new Date(bill.fromMs).toISOString(),
    to: new Date(bill.toMs).toISOString()
  })
  const shares = sharesOf(rest, rules.gap === 'proportional' ? spent : [])
  const rows = shares.map(({ tenant, pico }): LedgerRow => ({
    category: 'adjustment',
    month: statement,
    charge_class: isClosed ? 'Correction' : null,
    charge_start: charged.fromMs,
    charge_end: charged.toMs,
    tenant,
    provider: bill.provider,
    meter: 'adjustment',
    rule: 'bill',
    billed_pico: pico,
    details
  }))
  await addRows(engine, head, rows)
}

type Share = { tenant: string | null; pico: bigint }

const sharesOf = (rest: bigint, spent: readonly Share[]): Share[] => {
  const payers = spent.filter(({ tenant, pico }) => tenant !== null && pico > 0n)
  if (payers.length === 0) return [{ tenant: null, pico: rest }]
  const parts = allocate(
    rest,
    payers.map(({ pico }) => pico),
    1n
  )
  return payers
    .map(({ tenant }, index) => ({ tenant, pico: parts[index] ?? 0n }))
    .filter(({ pico }) => pico !== 0n)
}

/** What tenants were charged for the usage on a bill's days, at all names of its sender. */
const spending = async (engine: Engine, { provider, fromMs, toMs }: Bill): Promise<Share[]> => {
  const rows = await engine.rows(`SELECT tenant, provider, sum(billed_pico)::VARCHAR AS pico
    FROM ${LEDGER} WHERE category = 'usage' AND billed_pico IS NOT NULL AND provider IS NOT NULL
      AND charge_start >= ${timestampSql(fromMs)} AND charge_start < ${timestampSql(toMs)}
    GROUP BY ALL ORDER BY tenant, provider`)
  const sums = new Map<string | null, bigint>()
  for (const row of rows) {
    if (billingProvider(row['provider'] as string) !== provider) continue
    const tenant = row['tenant'] as string | null
    sums.set(tenant, (sums.get(tenant) ?? 0n) + BigInt(row['pico'] as string))
  }
  return [...sums].map(([tenant, pico]) => ({ tenant, pico }))
}

/** What earlier adjustments of the month to this bill sum to. */
const adjusted = async (engine: Engine, provider: string, { fromMs }: Month): Promise<bigint> => {
  const [row] =
    await engine.rows(`SELECT coalesce(sum(billed_pico), 0)::VARCHAR AS pico FROM ${LEDGER}
    WHERE category = 'adjustment' AND provider = ${quoted(provider)}
      AND charge_start = ${timestampSql(fromMs)}`)
  return BigInt(row?.['pico'] as string)
}
