import { formatDollars, formatUsd, PICO_PER_CENT } from '../../../schemas/money.ts'
import type { Engine, Row } from '../../../services/lake/engine.ts'
import { quoted } from '../../../services/lake/parquet-writer.ts'
import type { Month } from '../month.ts'

export type StatementLine = {
  item: string
  quantity: string | null
  unit: string | null
  /** Exact; null = unpriced. */
  cost_usd: string | null
  /** What is due, in whole cents; null where the line is no amount due. */
  due_usd: string | null
  low: string | null
  high: string | null
}

/** What one tenant pays for a month, and where it comes from. */
export type Statement = {
  month: string
  /** Whether the figures are final: an open month's may still change. */
  closed: boolean
  /** Null = what nobody pays. */
  tenant: string | null
  total_usd: string
  sections: Record<string, StatementLine[]>
}

/** Reads a tenant's statement out of the table `statement_lines`. */
export const readStatement = async (
  engine: Engine,
  { month, tenant, isClosed }: { month: Month; tenant: string | null; isClosed: boolean }
): Promise<Statement> => {
  const is = tenant === null ? 'tenant IS NULL' : `tenant = ${quoted(tenant)}`
  const rows = await engine.rows(`SELECT section, item, quantity::VARCHAR AS quantity, unit,
      cost_pico::VARCHAR AS cost_pico, cents::VARCHAR AS cents, low::VARCHAR AS low, high::VARCHAR AS high
    FROM temp.statement_lines WHERE ${is}
    ORDER BY section, CASE section WHEN 'day' THEN item END, cost_pico::HUGEINT DESC NULLS LAST, item`)
  const sections: Record<string, StatementLine[]> = {}
  for (const row of rows) {
    const section = String(row['section'])
    ;(sections[section] ??= []).push(lineOf(row))
  }
  const { total = [], ...rest } = sections
  return {
    month: month.name,
    closed: isClosed,
    tenant,
    total_usd: total[0]?.due_usd ?? '0.00',
    sections: rest
  }
}

const lineOf = (row: Row): StatementLine => {
  const text = (name: string): string | null => (row[name] as string | null) ?? null
  const [cost, cents] = [text('cost_pico'), text('cents')]
  return {
    item: String(row['item']),
    quantity: text('quantity'),
    unit: text('unit'),
    cost_usd: cost === null ? null : formatUsd(BigInt(cost)),
    due_usd: cents === null ? null : centsAsUsd(BigInt(cents)),
    low: text('low'),
    high: text('high')
  }
}

/** Cents as a decimal string of dollars. */
export const centsAsUsd = (cents: bigint): string => formatDollars(cents * PICO_PER_CENT)

/** A tenant's name as a file's: any name stays within the folder, and no two become one. */
export const statementName = (tenant: string | null): string =>
  tenant === null
    ? '_unallocated'
    : tenant.replaceAll(/[^A-Za-z0-9-]/g, (sign) => `_${(sign.codePointAt(0) ?? 0).toString(16)}_`)
