import type { Commit, Head } from '../../services/lake/commit.ts'
import type { Engine, Row } from '../../services/lake/engine.ts'
import { landTable } from '../../services/lake/land-table.ts'
import type { Lake } from '../../services/lake/lake.ts'
import { attach } from '../../services/lake/snapshot.ts'
import { billingProvider } from '../../services/rates/prices/billing-names.ts'
import { BILLS_NOW } from '../bills-now.ts'
import { rowSelect } from '../row-select.ts'
import type { BillLine, Meter } from './bill.ts'

/** Bills that a lake keeps, for closing months and for reconciling without the files at hand. */

type Doors = { engine: Engine; lake: Lake; generation: string }

export type BillFile = { dialect: string; sha256: string; lines: readonly BillLine[] }

/** State key of the number that the next import gets. */
const IMPORT_KEY = 'bills/next'
const FILE_PREFIX = 'bills/file/'

const nextImport = (head: Head): number => {
  const value = head.state.get(IMPORT_KEY)
  return typeof value === 'number' ? value : 1
}

/**
 * Keeps a bill. The same file is kept once; another file for the same days takes their place.
 * @returns whether it was new.
 */
export const keepBill = async (doors: Doors, bill: BillFile): Promise<boolean> => {
  const known = `${FILE_PREFIX}${bill.sha256}`
  for (;;) {
    const head = await doors.lake.head()
    if (head.state.has(known) || bill.lines.length === 0) return false
    const number = nextImport(head)
    const rows = bill.lines.map((line) => rowOf(line, bill, number))
    const file = await landTable(doors, {
      table: 'bills',
      sql: rowSelect('bills', rows),
      time: 'bucket_start'
    })
    const version = await doors.lake.commit((now): Commit | null => {
      if (nextImport(now) !== number) return null
      const adds = file === null ? [] : [file]
      const state = { [IMPORT_KEY]: number + 1, [known]: number }
      return { kind: 'charge', generation: doors.generation, ranges: [], adds, removes: [], state }
    })
    if (version !== null) return true
  }
}

const iso = (ms: number): string => new Date(ms).toISOString()
/** Amounts beyond 2^53 go as text, which the column's type reads exactly. */
const exact = (pico: bigint | null): string | null => (pico === null ? null : pico.toString())

const rowOf = (line: BillLine, { dialect, sha256 }: BillFile, number: number) => ({
  import: number,
  file_sha256: sha256,
  dialect,
  provider: billingProvider(line.provider),
  invoice_id: line.invoiceId ?? null,
  model: line.model,
  bucket_start: iso(line.fromMs),
  bucket_end: iso(line.toMs),
  meter: line.meter,
  tier: line.tier,
  quantity: line.quantity,
  requests: line.requests,
  amount_pico: exact(line.amountPico),
  rounding_pico: exact(line.roundingPico),
  label: line.label,
  identity: line.identity
})

/** Lines of the kept bills as they count now, of a stretch of time or of all. */
export const keptBills = async (
  doors: Pick<Doors, 'engine' | 'lake'>,
  head: Head,
  { fromMs, toMs }: { fromMs: number; toMs: number }
): Promise<BillLine[]> => {
  await attach(doors, {
    ...head,
    files: new Map([['bills', head.files.get('bills') ?? new Map()]])
  })
  const rows = await doors.engine.rows(
    `SELECT *, epoch_ms(bucket_start) AS from_ms, epoch_ms(bucket_end) AS to_ms FROM ${BILLS_NOW}
     WHERE epoch_ms(bucket_start) >= ${fromMs} AND epoch_ms(bucket_start) < ${toMs}
     ORDER BY "import", bucket_start, provider, identity`
  )
  return rows.map(lineOf)
}

const lineOf = (row: Row): BillLine => {
  const text = (name: string): string | null => (row[name] as string | null) ?? null
  const number = (name: string): number | null => (row[name] === null ? null : Number(row[name]))
  return {
    provider: text('provider') ?? '',
    model: text('model'),
    fromMs: Number(row['from_ms']),
    toMs: Number(row['to_ms']),
    meter: text('meter') as Meter,
    tier: text('tier'),
    quantity: number('quantity'),
    requests: number('requests'),
    amountPico: row['amount_pico'] as bigint | null,
    roundingPico: (row['rounding_pico'] as bigint | null) ?? 0n,
    label: text('label') ?? '',
    identity: text('identity') ?? ''
  }
}
