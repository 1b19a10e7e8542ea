import type { Columns, GrainInput } from '../../services/signals/define.ts'

/** Rows of a grain as worlds make them, put into the columns that a fold reads. */

export type GrainRow = Readonly<Record<string, number | string | null>>

const LOW_BITS = 2 ** 32
const HIGH_BITS = 2 ** 20

/** 52 bits of a hash, where a grain has 53 of the database's: FNV-1a twice, each with a final mix. */
export const hashOf = (...words: string[]): number => {
  let [low, high] = [0x811c9dc5, 0x9747b28c]
  for (const word of words) {
    for (let i = 0; i <= word.length; i++) {
      // Past the end comes a separator, which no word holds.
      const code = i < word.length ? word.charCodeAt(i) : 0x1f
      low = Math.imul(low ^ code, 0x01000193)
      high = Math.imul(high ^ code, 0x5bd1e995)
    }
  }
  return (mixed(high) % HIGH_BITS) * LOW_BITS + mixed(low)
}

const mixed = (hash: number): number => {
  const once = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35)
  return (twice ^ (twice >>> 16)) >>> 0
}

const SEPARATOR = '\u001f'

const textOf = (row: GrainRow, name: string): string | null => {
  const value = row[name]
  return value === undefined || value === null ? null : String(value)
}

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
    measures: Object.fromEntries(input.measures.map((name) => [name, measureOf(rows, name)])),
    texts: Object.fromEntries(
      (input.texts ?? []).map((name) => [name, rows.map((row) => textOf(row, name))])
    )
  })
}
