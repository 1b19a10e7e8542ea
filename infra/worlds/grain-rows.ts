import { fingerprint } from '../../services/signals/fingerprint.ts'
import type { Columns, GrainInput } from '../../services/signals/define.ts'

/** Rows of a grain as worlds make them, put into the columns that a fold reads. */

export type GrainRow = Readonly<Record<string, number | string | null>>

/** 52 bits of a hash, where a grain has 53 of the database's. */
export const hashOf = (...words: string[]): number => Number(`0x${fingerprint(...words).slice(3)}`)

/** Makes columns of one minute after another; series are numbered as they are first seen. */
export const createColumns = (input: GrainInput): ((rows: readonly GrainRow[]) => Columns) => {
  const codes = new Map<string, number>()
  const keys: (string | null)[][] = []
  const text = (row: GrainRow, name: string): string | null => {
    const value = row[name]
    return value === undefined || value === null ? null : String(value)
  }
  const codeOf = (row: GrainRow): number => {
    const own = input.keys.map((name) => text(row, name))
    const key = JSON.stringify(own)
    const known = codes.get(key)
    if (known !== undefined) return known
    codes.set(key, keys.length)
    return keys.push(own) - 1
  }
  return (rows) => ({
    rows: rows.length,
    series: Int32Array.from(rows, codeOf),
    keys,
    measures: Object.fromEntries(
      input.measures.map((name) => [
        name,
        Float64Array.from(rows, (row) => {
          const value = row[name]
          return typeof value === 'number' ? value : Number.NaN
        })
      ])
    ),
    texts: Object.fromEntries(
      (input.texts ?? []).map((name) => [name, rows.map((row) => text(row, name))])
    )
  })
}
