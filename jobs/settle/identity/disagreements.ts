import type { Engine } from '../../../services/lake/engine.ts'
import { quoted } from '../../../services/lake/parquet-writer.ts'
import { COMPARED } from './field-rules.ts'
import { KEY_TYPES } from './keys.ts'

/** Amounts are compared as numbers: `0.10` is `0.1`. */
const comparable = (alias: string, column: string): string =>
  column === 'cost_reported_usd'
    ? `try_cast(${alias}.${column} AS DECIMAL(38, 18))`
    : `${alias}.${column}`

const differs = (column: string): string =>
  `${comparable('e', column)} <> ${comparable('c', column)}`

/**
 * Makes `disagreement`: what the witnesses of this hour's calls tell otherwise than the row that
 * counts, and records that share an id which proves nothing.
 */
export const findDisagreements = async (engine: Engine): Promise<void> => {
  await engine.run(`CREATE OR REPLACE TEMP TABLE differing AS
    SELECT c.tenant, c.source, c.id, e.source AS other_source, e.id AS other_id,
      ${COMPARED.map(
        (
          column
        ) => `c.${column}::VARCHAR AS kept_${column}, e.${column}::VARCHAR AS other_${column},
        coalesce(${differs(column)}, false) AS ${column}_differs`
      ).join(', ')}
    FROM temp.member_record e JOIN temp.composed c USING (call)
    WHERE c.witnesses > 1 AND (${COMPARED.map((column) => `coalesce(${differs(column)}, false)`).join(' OR ')})`)
  const values = COMPARED.map(
    (column) => `SELECT tenant, source, id, 'value' AS kind, ${quoted(column)} AS field,
      kept_${column} AS kept_value, other_${column} AS other_value, other_source, other_id
      FROM temp.differing WHERE ${column}_differs`
  )
  await engine.run(`CREATE OR REPLACE TEMP TABLE disagreement AS
    ${[...values, ...NOT_MERGED].join(' UNION ALL ')}`)
}

const shared = (type: 'response' | 'request' | 'span', field: string): string =>
  `SELECT tenant, source, id, 'not_merged', ${quoted(field)}, ${field}, NULL, NULL, NULL
   FROM temp.member JOIN temp.member_key k USING (m)
   JOIN temp.unsound u ON u.key_hash = k.key_hash AND u.type = k.type
   WHERE m >= 0 AND k.type = ${KEY_TYPES[type]}`

const NOT_MERGED: readonly string[] = [
  shared('response', 'response_id'),
  shared('request', 'request_id'),
  shared('span', 'span_id'),
  // Above and below, but they do not fit: told of the call below, with the one above it.
  `SELECT DISTINCT o.tenant, below.source, below.id, 'not_merged', 'parent_span_id', NULL, NULL,
     above.source, above.id
   FROM temp.judged j JOIN temp.member o ON o.m = j.other JOIN temp.member n ON n.m = j.named
   JOIN temp.principal below ON below.call = o.call JOIN temp.principal above ON above.call = n.call
   WHERE NOT j.fits AND o.call <> n.call AND below.m >= 0`
]
