import type { Columns, GrainInput } from '../../services/signals/define.ts'
import { identityOf } from '../../services/signals/statistics/identity.ts'

/** Rows of a grain as worlds make them, put into the columns that a fold reads. */

export type GrainRow = Readonly<Record<string, number | string | null>>

const SEPARATOR = '\u001f'

const textOf = (row: GrainRow, name: string): string | null => {
  const value = row[name]
  return value === undefined || value === null ? null : String(value)
}

const identitiesOf = (rows: readonly GrainRow[], name: string): Float64Array =>
  Float64Array.from(rows, (row) => {
    const text = textOf(row, name)
    return text === null ? Number.NaN : identityOf(text)
  })

const measureOf = (rows: readonly GrainRow[], name: string): Float64Array => {
  const values = new Float64Array(rows.length)
  for (let row = 0; row < rows.length; row++) {
    const value = rows[row]![name]
    values[row] = typeof value === 'number' ? value : Number.NaN
  }
  return values
}

/** Makes columns of one minute after another; series are numbered as they are first seen. */
export const createColumns = (input: GrainInput): ((rows: readonly GrainRow[]) => Columns) => {
  const codes = new Map<string, number>()
  const keys: (string | null)[][] = []
  const codeOf = (row: GrainRow): number => {
    let key = ''
    for (const name of input.keys) key += (textOf(row, name) ?? '\u0000') + SEPARATOR
    const known = codes.get(key)
    if (known !== undefined) return known
    codes.set(key, keys.length)
    return keys.push(input.keys.map((name) => textOf(row, name))) - 1
  }
  return (rows) => ({
    rows: rows.length,
    series: Int32Array.from(rows, codeOf),
    keys,
    measures: Object.fromEntries([
      ...input.measures.map((name) => [name, measureOf(rows, name)] as const),
      ...(input.identities ?? []).map((name) => [name, identitiesOf(rows, name)] as const)
    ]),
    texts: Object.fromEntries(
      (input.texts ?? []).map((name) => [name, rows.map((row) => textOf(row, name))])
    )
  })
}
