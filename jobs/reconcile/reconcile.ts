import type { UsageEvent } from '../../schemas/event.ts'
import type { PriceBook } from '../../services/rates/prices/book.ts'
import type { BillLine } from './bill.ts'
import { gapOf, type Bucket, type Cell } from './cells.ts'
import type { Cause } from './causes.ts'
import { decompose } from './decompose.ts'
import { billingProvider } from '../../services/rates/prices/billing-names.ts'
import { recordedCalls, type Call } from './recorded.ts'
import { groupBy } from './working.ts'

export type ProviderGap = {
  provider: string
  cells: Cell[]
  buckets: readonly Bucket[]
  remarks: string[]
  calls: readonly Call[]
  errorPico: number
}

export type Reconciliation = {
  providers: ProviderGap[]
  /** Sums over all cells, pico-dollars. */
  oursPico: bigint
  billedPico: bigint
  causes: Partial<Record<Cause, bigint>>
}

/**
 * Sets a bill beside the events and explains the difference. Only providers that the bill names
 * are looked at; the causes sum to the gap exactly.
 */
export const reconcile = (
  book: PriceBook,
  { lines, events }: { lines: readonly BillLine[]; events: readonly UsageEvent[] }
): Reconciliation => {
  const calls = groupBy(recordedCalls(book, events), ({ provider }) => provider)
  const byProvider = groupBy(lines, ({ provider }) => billingProvider(provider))
  const providers = [...byProvider].map(([provider, own]) => ({
    provider,
    ...decompose(book, {
      lines: own.map((line) => ({ ...line, provider })),
      calls: calls.get(provider) ?? []
    })
  }))
  const cells = providers.flatMap((part) => part.cells)
  return {
    providers,
    oursPico: cells.reduce((sum, cell) => sum + cell.pico + cell.copiesPico, 0n),
    billedPico: cells.reduce((sum, cell) => sum + (cell.billedPico ?? 0n), 0n),
    causes: sumCauses(cells)
  }
}

export const sumCauses = (cells: readonly Cell[]): Partial<Record<Cause, bigint>> => {
  const causes: Partial<Record<Cause, bigint>> = {}
  for (const cell of cells) {
    for (const [cause, pico] of Object.entries(cell.parts) as [Cause, bigint][]) {
      causes[cause] = (causes[cause] ?? 0n) + pico
    }
  }
  return causes
}

/** Gap of many cells. */
export const sumGaps = (cells: readonly Cell[]): bigint =>
  cells.reduce((sum, cell) => sum + gapOf(cell), 0n)
