import { TABLES, type Column, type TableName } from '../../schemas/tables.ts'
import { quoted } from '../lake/parquet-writer.ts'
import { BOUND } from './cube/cells.ts'
import type { Desk } from './desk.ts'

/** Tables of which every row is of one tenant, and no other's business. */
export const hasTenant = (table: TableName): boolean => {
  const columns: readonly Column[] = TABLES[table]
  return columns.some(({ name }) => name === 'tenant')
}

/** A small table at the desk's version as a SELECT, bound to who asks. */
export const tableSql = async (desk: Desk, table: TableName): Promise<string> => {
  const columns: readonly Column[] = TABLES[table]
  const files = [...(desk.head.files.get(table)?.values() ?? [])]
  if (files.length === 0) {
    return `SELECT ${columns.map(({ name, type }) => `NULL::${type} AS "${name}"`).join(', ')} WHERE false`
  }
  const list = files.map((file) => quoted(desk.location(file))).join(', ')
  const from = `read_parquet([${list}], union_by_name = true)`
  const seen = await desk.rows(`DESCRIBE SELECT * FROM ${from}`)
  const present = new Set(seen.map((row) => row['column_name']))
  const select = columns.map(({ name, type }) =>
    present.has(name) ? `"${name}"::${type} AS "${name}"` : `NULL::${type} AS "${name}"`
  )
  return `SELECT ${select.join(', ')} FROM ${from}${hasTenant(table) ? ` WHERE ${BOUND}` : ''}`
}
