import {
  ENERGY_KEY_COLUMNS,
  energyParameterTableSql,
  energyParameterValues,
  type EnergyKey
} from './energy-sql.ts'

/** Distinct deployments of a relation of events: what `parameterTableSql` wants as keys. */
export const energyKeysSql = (relation: string): string =>
  `SELECT DISTINCT ${ENERGY_KEY_COLUMNS.join(', ')} FROM ${relation} ORDER BY ALL`

/** Statements that make the parameter table anew with one row for each key. */
export const parameterTableSql = (
  table: string,
  keys: readonly EnergyKey[],
  engineYear: number
): string => {
  const rows = keys.map(
    (key) => `(${energyParameterValues(key, engineYear).map(literal).join(', ')})`
  )
  const insert = rows.length > 0 ? [`INSERT INTO ${table} VALUES ${rows.join(', ')}`] : []
  return [`DROP TABLE IF EXISTS ${table}`, energyParameterTableSql(table), ...insert].join(';\n')
}

const literal = (value: string | number | boolean | null): string => {
  if (value === null) return 'NULL'
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value)
}
