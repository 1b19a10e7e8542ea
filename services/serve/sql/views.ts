import { TABLES, type TableName } from '../../../schemas/tables.ts'
import type { Access } from '../access.ts'
import type { Desk } from '../desk.ts'
import { sqlText } from '../literal.ts'
import { relationSql, VIEW_NAMES, type ViewName } from '../relation.ts'
import { hasTenant, tableSql } from '../tables.ts'

/** The views that queries from outside may read, and what they are for who asks. */

/** Who may see one tenant gets these, and of each the tenant's rows. */
const TENANT_VIEWS = [
  'events',
  'windows',
  'prefixes',
  'findings',
  'statements',
  'charges',
  'conflicts',
  'disagreements'
] as const satisfies readonly (ViewName | TableName)[]

export const offeredViews = ({ tenant, admin }: Access): Set<string> => {
  if (tenant !== null) return new Set(TENANT_VIEWS)
  const tables = (Object.keys(TABLES) as TableName[]).filter((name) => admin || hasTenant(name))
  return new Set([...VIEW_NAMES, ...tables])
}

/** Above every row number: a LIMIT that only keeps conditions from being moved below it. */
const NO_LIMIT = '9223372036854775807'
const EVER = { fromMs: -62_135_596_800_000, toMs: 253_402_300_799_000 }

/** A view as a SELECT. */
export const viewSql = async (desk: Desk, name: string): Promise<string> => {
  const view = VIEW_NAMES.find((known) => known === name)
  const { tenant } = desk.access
  const sql =
    view === undefined
      ? await boundTable(desk, name as TableName)
      : await relationSql(desk, view, EVER)
  // Without the LIMIT the engine may try a condition of the query on rows of others first, and
  // an error would tell of them.
  return tenant === null ? sql : `SELECT * FROM (${sql}) LIMIT ${NO_LIMIT}`
}

/** Columns that name other tenants are null for who may see one tenant alone. */
const boundTable = async (desk: Desk, name: TableName): Promise<string> => {
  const { tenant } = desk.access
  if (tenant === null) return tableSql(desk, name)
  const sql = await tableSql(desk, name)
  if (name === 'findings') {
    return `SELECT * REPLACE (NULL::VARCHAR AS summary, NULL::VARCHAR AS finding) FROM (${sql})`
  }
  if (name !== 'charges') return sql
  const own = `CASE WHEN origin_tenant = ${sqlText(tenant)} THEN origin_tenant END`
  return `SELECT * REPLACE (${own} AS origin_tenant, NULL::VARCHAR AS details) FROM (${sql})`
}
