import { TABLES, type TableName } from '../schemas/tables.ts'

/** A value as a job has it: times as RFC 3339, numbers finite. */
export type RowValue = string | number | boolean | null

/**
 * SELECT that yields the given rows with the names and types of a table, in order: for the few
 * rows that a job writes at a time, not for events. Columns that a row does not name are null.
 */
export const rowSelect = (
  table: TableName,
  rows: readonly Readonly<Record<string, RowValue>>[]
): string => {
  const columns = TABLES[table]
  const names = columns.map(({ name }) => `"${name}"`).join(', ')
  const values = rows.map(
    (row) => `(${columns.map(({ name }) => rowLiteral(row[name] ?? null)).join(', ')})`
  )
  const casts = columns.map(({ name, type }) => `"${name}"::${type} AS "${name}"`).join(', ')
  return `SELECT ${casts} FROM (VALUES ${values.join(', ')}) AS given(${names})`
}

const rowLiteral = (value: RowValue): string => {
  if (value === null) return 'NULL'
  return typeof value === 'string' ? textLiteral(value) : String(value)
}

/** SQL text ends at a NUL, so that character is put together apart. */
const textLiteral = (text: string): string => {
  const parts = text.split('\0').map((part) => `'${part.replaceAll("'", "''")}'`)
  return parts.length === 1 ? (parts[0] ?? "''") : `(${parts.join(' || chr(0) || ')})`
}
