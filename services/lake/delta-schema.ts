import { TABLES, type Column } from '../../schemas/tables.ts'

/** Delta schemas out of `TABLES`, as `PROTOCOL.md` of Delta Lake defines them. */

type DeltaType =
  | string
  | { type: 'array'; elementType: DeltaType; containsNull: boolean }
  | { type: 'map'; keyType: DeltaType; valueType: DeltaType; valueContainsNull: boolean }

export type DeltaField = {
  name: string
  type: DeltaType
  nullable: boolean
  metadata: Record<string, unknown>
}

export type DeltaSchema = { type: 'struct'; fields: DeltaField[] }

const PRIMITIVES: Readonly<Record<string, string>> = {
  VARCHAR: 'string',
  BIGINT: 'long',
  INTEGER: 'integer',
  SMALLINT: 'short',
  DOUBLE: 'double',
  BOOLEAN: 'boolean',
  BLOB: 'binary',
  TIMESTAMPTZ: 'timestamp'
}

/** Delta's name of a DuckDB type. */
export const deltaType = (type: string): DeltaType => {
  if (type.endsWith('[]')) {
    return { type: 'array', elementType: deltaType(type.slice(0, -2)), containsNull: true }
  }
  const map = /^MAP\((\w+), (.+)\)$/.exec(type)
  if (map?.[1] !== undefined && map[2] !== undefined) {
    const [keyType, valueType] = [deltaType(map[1]), deltaType(map[2])]
    return { type: 'map', keyType, valueType, valueContainsNull: true }
  }
  const primitive = PRIMITIVES[type]
  if (primitive === undefined) throw new TypeError(`No Delta type for ${type}`)
  return primitive
}

export const deltaSchema = (columns: readonly Column[]): DeltaSchema => ({
  type: 'struct',
  fields: columns.map(({ name, type, comment }) => ({
    name,
    type: deltaType(type),
    nullable: true,
    metadata: { comment }
  }))
})

/** Columns of a table of this build; null for a table that only a newer build knows. */
export const columnsOf = (table: string): readonly Column[] | null =>
  Object.hasOwn(TABLES, table) ? TABLES[table as keyof typeof TABLES] : null

/** Columns whose smallest and largest values go into the statistics of a file. */
const TIME_COLUMNS = new Set(['time', 'window_start'])

/** The column that `timeUsMin` and `timeUsMax` of a file speak of; null when it has none. */
export const timeColumnOf = (table: string): string | null =>
  columnsOf(table)?.find(({ name }) => TIME_COLUMNS.has(name))?.name ?? null
