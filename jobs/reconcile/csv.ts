import { Failure } from '../../schemas/failure.ts'

/**
 * Reads RFC 4180 CSV with a header row into records; empty cells are null.
 * @throws Failure E_BILL_UNREADABLE, also where a column that must be there is not.
 */
export const parseCsv = (
  text: string,
  required: readonly string[] = []
): Record<string, string | null>[] => {
  const [header = [], ...rows] = cells(text.startsWith('\uFEFF') ? text.slice(1) : text)
  const missing = required.filter((name) => !header.includes(name))
  if (missing.length > 0) {
    throw new Failure('E_BILL_UNREADABLE', `the header has no column ${missing.join(', ')}`)
  }
  return rows
    .filter((row) => row.length > 1 || row[0] !== '')
    .map((row, index) => {
      if (row.length !== header.length) {
        throw new Failure(
          'E_BILL_UNREADABLE',
          `record ${index + 2} has ${row.length} cells, the header ${header.length}`
        )
      }
      return Object.fromEntries(header.map((name, column) => [name, row[column] || null]))
    })
}

/** A quoted cell or a plain one, and what ends it. */
const CELL = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y

const cells = (text: string): string[][] => {
  const rows: string[][] = [[]]
  CELL.lastIndex = 0
  while (CELL.lastIndex < text.length) {
    const at = CELL.lastIndex
    const match = CELL.exec(text)
    if (match === null) throw new Failure('E_BILL_UNREADABLE', `stray quote at character ${at}`)
    const [, quoted, plain = '', end] = match
    rows.at(-1)?.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'))
    if (end === '') break
    if (end !== ',') rows.push([])
  }
  if (text.endsWith(',')) rows.at(-1)?.push('')
  return rows.filter((row) => row.length > 0)
}
