import type { BookRow } from '../book-row.ts'
import { createBook, findRows } from '../book.ts'
import type { BookHeader } from '../book-row.ts'
import { inPeriod } from '../price.ts'
import { canonicalProvider } from '../providers.ts'
import { roundUsd } from '../../../../schemas/money.ts'

/**
 * A third witness: simonw/llm-prices, a CSV of dated list prices. It has no licence, so only facts
 * are compared: where it states another price for a period, the row says so.
 */
const VENDORS: Readonly<Record<string, string>> = { google: 'gcp.gemini', amazon: 'aws.bedrock' }
const COLUMNS = ['vendor', 'id', 'input', 'output', 'cached', 'from', 'to'] as const
const TOKENS_PER_MILLION = 1_000_000n
const MS_PER_DAY = 86_400_000
const ROUNDING = 0.001

type Witness = Readonly<Record<(typeof COLUMNS)[number], string>>

/** Adds what the CSV says otherwise to the rows; `asOf` dates its undated prices. */
export const withWitness = (
  rows: readonly BookRow[],
  csv: string,
  { header, asOf }: { header: BookHeader; asOf: string }
): BookRow[] => {
  const book = createBook(header, rows)
  const added = new Map<BookRow, NonNullable<BookRow['disagreements']>>()
  for (const witness of parse(csv)) {
    const provider = VENDORS[witness.vendor] ?? canonicalProvider(witness.vendor)
    const time = instantOf(witness, asOf)
    const row = findRows(book, provider, witness.id).rows.find((candidate) =>
      inPeriod(candidate.from ?? null, candidate.to ?? null, time)
    )
    if (row === undefined || row.windows !== undefined) continue
    added.set(row, [...(added.get(row) ?? []), ...differences(row, witness)])
  }
  return rows.map((row) => {
    const found = added.get(row) ?? []
    return found.length === 0
      ? row
      : { ...row, disagreements: [...(row.disagreements ?? []), ...found] }
  })
}

const parse = (csv: string): Witness[] =>
  csv
    .split('\n')
    .slice(1)
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const cells = line.trim().split(',')
      return Object.fromEntries(COLUMNS.map((name, index) => [name, cells[index] ?? ''])) as Witness
    })

const instantOf = ({ from, to }: Witness, asOf: string): number => {
  if (from !== '') return Date.parse(from)
  return to === '' ? Date.parse(asOf) : Date.parse(to) - MS_PER_DAY
}

const differences = (row: BookRow, witness: Witness): NonNullable<BookRow['disagreements']> => {
  const classes = [
    ['in', witness.input],
    ['out', witness.output],
    ['read', witness.cached]
  ] as const
  return classes.flatMap(([name, usd]) => {
    const ours = row.cards['standard']?.rates[name]
    if (usd === '' || ours === undefined) return []
    const theirs = Number(roundUsd(usd) / TOKENS_PER_MILLION)
    if (Math.abs(theirs - ours) <= ours * ROUNDING) return []
    return [
      {
        what: `standard.${name}`,
        values: { [row.sources[0] ?? 'book']: ours, 'llm-prices': theirs }
      }
    ]
  })
}
