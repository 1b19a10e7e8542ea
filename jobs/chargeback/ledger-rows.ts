import { CHARGE_COLUMNS } from '../../schemas/charges.ts'
import type { Head } from '../../services/lake/commit.ts'
import type { Engine } from '../../services/lake/engine.ts'
import { quoted } from '../../services/lake/parquet-writer.ts'
import { nextBooking } from './ledger.ts'
import { timestampSql } from './month.ts'

/** Rows that are worked out one by one: adjustments and allocations. */
export type LedgerRow = {
  category: 'adjustment' | 'allocation'
  month: string
  charge_class?: 'Correction' | null
  /** Milliseconds since the epoch. */
  charge_start: number
  charge_end: number
  billed_pico: bigint
} & Readonly<Record<string, string | number | bigint | null | undefined>>

const NAMES = CHARGE_COLUMNS.map(({ name }) => name).join(', ')

/** What is booked and what is about to be: a relation. */
export const LEDGER = `(SELECT ${NAMES} FROM temp.charges UNION ALL SELECT ${NAMES} FROM temp.batch)`

/** Adds rows to the batch. */
export const addRows = async (
  engine: Engine,
  head: Head,
  rows: readonly LedgerRow[]
): Promise<void> => {
  if (rows.length === 0) return
  const values = rows.map(
    (row) => `(${CHARGE_COLUMNS.map(({ name }) => literal(name, row, head)).join(', ')})`
  )
  const casts = CHARGE_COLUMNS.map(({ name, type }) => `${name}::${type}`).join(', ')
  await engine.run(
    `INSERT INTO batch (${NAMES}) SELECT ${casts} FROM (VALUES ${values.join(', ')}) AS given(${NAMES})`
  )
}

const literal = (name: string, row: LedgerRow, head: Head): string => {
  if (name === 'booking') return String(nextBooking(head))
  const value = row[name]
  if (value === null || value === undefined) return 'NULL'
  if (name === 'charge_start' || name === 'charge_end') return timestampSql(Number(value))
  return typeof value === 'string' ? quoted(value) : String(value)
}
