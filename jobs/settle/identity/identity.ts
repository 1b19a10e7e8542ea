import type { Engine } from '../../../services/lake/engine.ts'
import type { Selection } from '../../../services/lake/land-table.ts'
import { findCalls } from './components.ts'
import { composeCalls } from './compose.ts'
import { findDisagreements } from './disagreements.ts'
import { RECORD_COLUMNS, gatherFamilies } from './family.ts'
import { keysSql } from './keys.ts'

/**
 * Identity across emitters: one call seen by gateway, SDK and agent becomes one row. Works on
 * `candidates` and `kept`, and makes the view `columns`: the rows that count, with `witnesses`.
 */

export type Identity = {
  /** Starts of other hours that have to be settled again, since a record here changes theirs. */
  resettle: number[]
  /** Records of this hour that are no row of their own. */
  merged: number
  disagreements: number
  selections: readonly Selection[]
}

const COLUMNS = RECORD_COLUMNS.map((name) => `"${name}"`).join(', ')
const ALONE_SQL = `SELECT r AS row_key, ${COLUMNS}, NULL::INTEGER AS witnesses FROM temp.kept`

/** @param hour SQL of the hour's start. */
export const identify = async (engine: Engine, hour: string): Promise<Identity> => {
  const found = await gatherFamilies(engine, hour)
  if (!found) {
    await engine.run(`CREATE OR REPLACE TEMP VIEW columns AS ${ALONE_SQL}`)
    const resettle = await staleHours(engine, false)
    return { resettle, merged: 0, disagreements: 0, selections: [idSelection(hour)] }
  }
  await findCalls(engine)
  await composeCalls(engine)
  await findDisagreements(engine)
  await engine.run(`CREATE OR REPLACE TEMP VIEW columns AS
    FROM (${ALONE_SQL}) ANTI JOIN (SELECT m AS row_key FROM temp.member) USING (row_key)
    UNION ALL SELECT row_key, ${COLUMNS}, witnesses FROM temp.composed`)
  const [counts] = await engine.rows(`SELECT
    (SELECT count(*) FROM temp.member WHERE m >= 0) - (SELECT count(*) FROM temp.composed) AS merged,
    (SELECT count(*) FROM temp.disagreement) AS disagreements`)
  return {
    resettle: await staleHours(engine, true),
    merged: Number(counts?.['merged']),
    disagreements: Number(counts?.['disagreements']),
    selections: [idSelection(hour), witnessSelection(hour), disagreementSelection(hour)]
  }
}

/** Other hours that weighed one of their records in another company than this one does. */
const staleHours = async (engine: Engine, hasFamilies: boolean): Promise<number[]> => {
  const now = hasFamilies
    ? 'LEFT JOIN temp.member k ON k.m = x.m LEFT JOIN temp.family_hashes h USING (family)'
    : 'CROSS JOIN (SELECT NULL AS family_hash) h'
  const rows = await engine.rows(`SELECT DISTINCT epoch_ms(x.hour) AS hour
    FROM temp.elsewhere_now x ${now} WHERE x.family_hash IS DISTINCT FROM h.family_hash ORDER BY 1`)
  return rows.map((row) => Number(row['hour']))
}

const idSelection = (hour: string): Selection => ({
  table: 'call_ids',
  sql: `SELECT ${hour} AS hour, key_hash, refers, near, append_time, "partition", "offset"
    FROM (${keysSql('temp.kept', ['append_time', '"partition"', '"offset"'])})
    ORDER BY ALL`,
  time: 'hour'
})

const witnessSelection = (hour: string): Selection => ({
  table: 'witnesses',
  sql: `SELECT ${hour} AS hour, p.source AS call_source, p.id AS call_id, h.family_hash, e.* EXCLUDE (m)
    FROM (SELECT r AS m, ${COLUMNS} FROM temp.kept) e
    JOIN temp.member k USING (m) JOIN temp.principal p USING (call) JOIN temp.family_hashes h USING (family)
    ORDER BY e.tenant, e.time, e.source, e.id`,
  time: 'hour'
})

const disagreementSelection = (hour: string): Selection => ({
  table: 'disagreements',
  sql: `SELECT ${hour} AS hour, * FROM temp.disagreement ORDER BY ALL`,
  time: 'hour'
})
