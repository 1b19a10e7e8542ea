import { TOKEN_FIELDS } from '../../../schemas/tokens.ts'
import type { Engine } from '../../../services/lake/engine.ts'
import { RECORD_COLUMNS } from './family.ts'
import { BLOCKS, OPTIONAL_BLOCKS, ORDERS, PRINCIPAL, SINGLE, type Order } from './field-rules.ts'
import { POSITION_COLUMNS } from '../../../schemas/tables.ts'

/** One row a call out of its witnesses, by the rules of `field-rules.ts`. */

const quotedName = (name: string): string => `"${name}"`

/** Every witness with its columns, its call, and whether its parent span is a witness as well. */
const RECORDS_SQL = `CREATE OR REPLACE TEMP VIEW member_record AS
  SELECT k.m, k.call, k.family, i.m IS NOT NULL AS inner_span, e.* EXCLUDE (m)
  FROM temp.member k
  LEFT JOIN (SELECT DISTINCT a.m FROM temp.member a JOIN temp.member b
    ON a.call = b.call AND a.parent_span_id = b.span_id AND a.m <> b.m) i ON i.m = k.m
  JOIN (SELECT r AS m, ${RECORD_COLUMNS.map(quotedName).join(', ')} FROM temp.kept
    UNION ALL SELECT m, ${RECORD_COLUMNS.map(quotedName).join(', ')} FROM temp.elsewhere_now) e ON e.m = k.m`

const best = (order: Order, expression: string): string => `arg_min(${expression}, ${order}_order)`

const blockOf = (columns: readonly string[]): string =>
  `struct_pack(${columns.map((name) => `${quotedName(name)} := e.${quotedName(name)}`).join(', ')})`

const HEAD = [...POSITION_COLUMNS.map(({ name }) => name), ...PRINCIPAL]

/**
 * Makes `composed` (a row for each call whose principal witness lies in this hour, `row_key` being
 * the principal's row in `kept`) and `principal` (that witness of every call).
 */
export const composeCalls = async (engine: Engine): Promise<void> => {
  await engine.run(RECORDS_SQL)
  const orders = Object.entries(ORDERS).map(
    ([order, sql]) => `row_number() OVER (PARTITION BY call ORDER BY ${sql}) AS ${order}_order`
  )
  await engine.run(`CREATE OR REPLACE TEMP TABLE witness_order AS
    SELECT m, call, ${orders.join(', ')} FROM temp.member_record e`)
  await engine.run(`CREATE OR REPLACE TEMP TABLE principal AS
    SELECT k.call, k.m, k.source, k.id, k.starts FROM temp.member k JOIN temp.witness_order o USING (m) WHERE near_order = 1`)
  await engine.run(`CREATE OR REPLACE TEMP TABLE merged AS
    SELECT call, count(*)::INTEGER AS witnesses, ${mergedColumns().join(', ')}
    FROM temp.member_record e JOIN (FROM temp.witness_order
      SEMI JOIN (FROM temp.principal WHERE m >= 0) USING (call)) o USING (m, call) GROUP BY call`)
  await findOperations(engine)
  await engine.run(`CREATE OR REPLACE TEMP TABLE composed AS
    SELECT p.m AS row_key, c.call, c.witnesses, ${finalColumns().join(', ')}
    FROM temp.merged c JOIN temp.principal p USING (call)
    LEFT JOIN temp.operation o USING (call) LEFT JOIN temp.stage w ON w.above = c.call`)
}

const mergedColumns = (): string[] => [
  `${best('near', blockOf(HEAD))} AS head`,
  ...BLOCKS.map(({ order, columns }, at) => `${best(order, blockOf(columns))} AS block_${at}`),
  ...OPTIONAL_BLOCKS.map(
    ({ order, columns: [first = '', ...rest] }, at) =>
      `${best(order, `CASE WHEN e.${first} IS NOT NULL THEN ${blockOf([first, ...rest])} END`)} AS optional_${at}`
  ),
  ...SINGLE.map(
    ({ order, column }) => `${best(order, `e.${quotedName(column)}`)} AS ${quotedName(column)}`
  ),
  // The spans of the other witnesses, so that steps below any of them still find their parent.
  `list_sort(list_distinct(flatten(list(coalesce(e.links, [])))
     || list(e.span_id) FILTER (e.span_id IS NOT NULL))) AS spans`
]

/** Where each column of a record stands in `merged` (alias `c`). */
const placeOf = (column: string): string => {
  if (HEAD.includes(column)) return `c.head.${quotedName(column)}`
  const block = BLOCKS.findIndex(({ columns }) => columns.includes(column))
  if (block >= 0) return `c.block_${block}.${quotedName(column)}`
  const optional = OPTIONAL_BLOCKS.findIndex(({ columns }) => columns.includes(column))
  return optional >= 0 ? `c.optional_${optional}.${quotedName(column)}` : `c.${quotedName(column)}`
}

/** What a step above its attempts says is theirs: nothing of it adds up. */
const REPEATED: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [...TOKEN_FIELDS, 'units', 'iterations', 'cost_reported_usd'].map((name) => [name, 'NULL'])
  ),
  kind: "'agent'",
  usage_convention: "'aggregate'",
  usage_confidence: "'none'",
  usage_warnings:
    "list_append(coalesce(c.block_0.usage_warnings, []), 'agent_aggregate_not_counted')"
}

const finalColumns = (): string[] =>
  RECORD_COLUMNS.map((column) => {
    const place = placeOf(column)
    const other: Readonly<Record<string, string>> = {
      links: `CASE WHEN c.witnesses = 1 THEN ${place}
        ELSE nullif(list_filter(c.spans, lambda s: s IS DISTINCT FROM ${placeOf('span_id')}), []) END`,
      operation_id: `coalesce(${place}, o.operation_id)`,
      attempt: `coalesce(${place}, o.attempt)`
    }
    const value = other[column] ?? place
    const repeated = REPEATED[column]
    return repeated === undefined
      ? `${value} AS ${quotedName(column)}`
      : `CASE WHEN w.repeats THEN ${repeated} ELSE ${value} END AS ${quotedName(column)}`
  })

/**
 * Several calls below one call are its attempts: they share an operation, numbered by time. The
 * call above them is none itself (`stage.repeats`) unless it is one of them, or has usage that
 * they do not account for.
 */
const findOperations = async (engine: Engine): Promise<void> => {
  await engine.run(`CREATE OR REPLACE TEMP TABLE stage AS
    WITH facts AS (SELECT call, max(in_total) AS in_total, max(out_total) AS out_total,
        min(operation_id) AS operation_id FROM temp.member GROUP BY call)
    SELECT above, coalesce(any_value(a.operation_id), min(d.span_id)) AS operation_id,
      NOT bool_or(d.call = above)
      AND coalesce(any_value(a.in_total), 0) <= coalesce(sum(b.in_total), 0)
      AND coalesce(any_value(a.out_total), 0) <= coalesce(sum(b.out_total), 0) AS repeats
    FROM temp.children d JOIN facts a ON a.call = above JOIN facts b ON b.call = d.call
    GROUP BY above HAVING count(*) > 1`)
  await engine.run(`CREATE OR REPLACE TEMP TABLE operation AS
    SELECT call, min(operation_id) AS operation_id, min(attempt)::INTEGER AS attempt
    FROM (SELECT d.call, d.above, s.operation_id, row_number() OVER (PARTITION BY d.above
        ORDER BY p.starts, p.source, p.id) AS attempt
      FROM temp.children d JOIN temp.stage s USING (above) JOIN temp.principal p USING (call)
      UNION ALL SELECT above, above, operation_id, NULL FROM temp.stage WHERE repeats) GROUP BY call`)
}
