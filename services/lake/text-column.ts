import type { ColumnData } from './columns.ts'

/** A column of a few strings or byte strings, all of them present. */
export const textColumn = (
  values: readonly Uint8Array[]
): Extract<ColumnData, { type: 'VARCHAR' | 'BLOB' }> => {
  const ends = new Int32Array(values.length)
  let end = 0
  values.forEach((value, index) => (ends[index] = end += value.length))
  const starts = Int32Array.from(ends, (_, index) => ends[index - 1] ?? 0)
  return { type: 'VARCHAR', text: { heap: Buffer.concat(values), starts, ends }, valid: null }
}
