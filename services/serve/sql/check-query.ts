import { z } from 'zod'
import { Failure } from '../../../schemas/failure.ts'

/**
 * Whether a query from outside may run: one SELECT over the views that are offered, and no function
 * that reads anything else. Decided on DuckDB's own parse of the text, not on the text.
 */

/** Table functions that make rows out of their arguments. */
const TABLE_FUNCTIONS = new Set(['range', 'generate_series', 'unnest'])

/**
 * Functions that tell of the process or of rows that a query does not select, that act on the process,
 * or that take a text as a query. What the engine itself calls volatile, or reads its catalogue for, is
 * looked through by `check-query.test.ts`: a newer engine can not add to it unseen.
 */
const FORBIDDEN_FUNCTIONS = new Set([
  // Least and largest value of a column over all rows of its files, whoever's they are.
  'stats',
  // Binds its text as a query, on any table and file that the engine may read.
  'json_serialize_plan',
  'query',
  'query_table',
  // Take the state of an aggregate as the engine holds it, whatever it was made of.
  'combine',
  'finalize',
  // Hold a thread.
  'sleep_ms',
  'pg_sleep',
  // Count what others ask.
  'current_connection_id',
  'current_query_id',
  'current_transaction_id',
  'txid_current',
  // Name what there is besides the views.
  'current_database',
  'current_schema',
  'current_schemas',
  'in_search_path',
  'format_type',
  'get_block_size',
  'pg_get_constraintdef',
  'pg_get_viewdef',
  'getenv',
  'getvariable',
  'current_setting',
  'current_query',
  'nextval',
  'currval',
  'setseed',
  'set_config',
  'write_log',
  'add_parquet_key'
])

/** Names a reader could take for a file or for the engine's own tables are no names for a CTE. */
const CTE_NAME = /^(?!duckdb_|pragma_|pg_|sqlite_|information_schema)[a-z_]\w*$/i

type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

const Parsed = z.object({
  error: z.boolean(),
  error_message: z.string().optional(),
  error_type: z.string().optional(),
  statements: z.array(z.json()).optional()
})

/**
 * Names of the offered views that a query reads.
 * @param serialized what `json_serialize_sql` says of the query.
 * @throws Failure E_SQL that says what is not allowed.
 */
export const checkQuery = (serialized: string, offered: ReadonlySet<string>): Set<string> => {
  const { error, error_message, error_type, statements = [] } = Parsed.parse(JSON.parse(serialized))
  if (error) {
    const isOther = error_type === 'not implemented'
    throw new Failure('E_SQL', isOther ? 'only SELECT is allowed here' : String(error_message))
  }
  if (statements.length !== 1) throw new Failure('E_SQL', 'give one statement')
  const nodes = [...objectsIn(statements[0] as Json)]
  const ctes = new Set(nodes.flatMap(cteNames).map((name) => name.toLowerCase()))
  const views = new Set<string>()
  for (const node of nodes) {
    checkFunction(node)
    const table = tableName(node)
    if (table === null || ctes.has(table)) continue
    if (!offered.has(table)) throw noSuchView(table, offered)
    views.add(table)
  }
  // A CTE may have a view's name and read that view itself.
  for (const name of ctes) if (offered.has(name)) views.add(name)
  return views
}

type Node = { [key: string]: Json }

function* objectsIn(root: Json): Generator<Node> {
  const open: Json[] = [root]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (Array.isArray(next)) open.push(...next)
    else if (typeof next === 'object' && next !== null) {
      yield next
      open.push(...Object.values(next))
    }
  }
}

const cteNames = (node: Node): string[] => {
  const map = (node['cte_map'] as Node | undefined)?.['map']
  if (!Array.isArray(map)) return []
  return map.map((entry) => {
    const name = String((entry as Node)['key'] as string)
    if (CTE_NAME.test(name)) return name
    throw new Failure('E_SQL', 'the name of a WITH clause must be a plain word')
  })
}

/** Name of the table that a node reads; null when it reads none. */
const tableName = (node: Node): string | null => {
  if (node['type'] === 'SHOW_REF' && (node['query'] ?? null) === null) {
    throw new Failure('E_SQL', 'SHOW is not allowed here', {
      hint: 'GET /v1/catalog lists the tables; DESCRIBE works on a query.'
    })
  }
  if (node['type'] !== 'BASE_TABLE') return null
  const { schema_name, catalog_name, table_name } = node
  if (schema_name !== '' || catalog_name !== '') {
    throw new Failure('E_SQL', 'tables are named here without a schema')
  }
  return String(table_name as string).toLowerCase()
}

const checkFunction = (node: Node): void => {
  const name = node['function_name']
  if (typeof name !== 'string') return
  const { schema, catalog } = node
  // The parser itself writes `main` before what stands for syntax: lists, structures, AT TIME ZONE.
  const isPlain = (schema === 'main' || (schema ?? '') === '') && (catalog ?? '') === ''
  if (!isPlain || FORBIDDEN_FUNCTIONS.has(name.toLowerCase())) {
    throw new Failure('E_SQL', `the function ${name.slice(0, 60)} is not allowed here`)
  }
}

/** @throws Failure E_SQL when a table function is none of those allowed. */
export const checkTableFunctions = (serialized: string): void => {
  for (const node of objectsIn(JSON.parse(serialized) as Json)) {
    if (node['type'] !== 'TABLE_FUNCTION') continue
    const call = node['function'] as Node
    const name = String(call['function_name'] as string).toLowerCase()
    if (!TABLE_FUNCTIONS.has(name)) {
      throw new Failure('E_SQL', `the table function ${name.slice(0, 60)} is not allowed here`, {
        hint: 'Queries read views; GET /v1/catalog lists them.'
      })
    }
  }
}

const noSuchView = (table: string, offered: ReadonlySet<string>): Failure =>
  new Failure('E_SQL', `there is no view ${JSON.stringify(table.slice(0, 60))}`, {
    hint: `Views: ${[...offered].join(', ')}.`
  })
