import { EVENT_FIELDS } from '../../../schemas/event-fields.ts'
import { POSITION_COLUMNS } from '../../../schemas/tables.ts'
import type { Engine } from '../../../services/lake/engine.ts'
import { connect } from './components.ts'
import { keysSql } from './keys.ts'

/**
 * The records that have to be weighed together: those of the hour that share an id with another
 * one, and what is connected with them in other hours, found by the index `call_ids`. The same
 * family comes out from whichever of its hours one starts.
 */

/** Columns of a record as it was sent. */
export const RECORD_COLUMNS: readonly string[] = [
  ...POSITION_COLUMNS.map(({ name }) => name),
  ...EVENT_FIELDS.map(({ column }) => column)
]
const quotedColumns = (alias: string): string =>
  RECORD_COLUMNS.map((name) => `${alias}."${name}"`).join(', ')

/**
 * `originals`: every kept record of the settled hours as it was sent, whatever became of it in
 * `events`.
 */
const ORIGINALS_SQL = `CREATE OR REPLACE TEMP VIEW originals AS
  SELECT ${quotedColumns('s')}, NULL::VARCHAR AS family_hash FROM temp.events_settled s WHERE s.witnesses IS NULL
  UNION ALL SELECT ${quotedColumns('w')}, w.family_hash FROM temp.witnesses w`

export const attachOriginals = (engine: Engine): Promise<void> => engine.run(ORIGINALS_SQL)

/** How far a lasting id is followed: a month and some slack. */
const LASTING_HOURS = 34 * 24
/** No call and no span lasts longer than a day. */
const NEAR_HOURS = 24

/**
 * Fills `member` (a row a record of a family), `member_key` (its ids) and `elsewhere_now` (records
 * of other hours, with the family hash that their hour was settled with). A record's number `m` is
 * its row in `candidates`, or negative where it is from another hour.
 * @param hour SQL of the hour's start.
 * @returns whether there is any family.
 */
export const gatherFamilies = async (engine: Engine, hour: string): Promise<boolean> => {
  await engine.run(`CREATE OR REPLACE TEMP TABLE here_key AS
    ${keysSql('(SELECT rowid AS m, * FROM temp.candidates)', ['m'])}`)
  await gatherElsewhere(engine, hour)
  await engine.run(`CREATE OR REPLACE TEMP TABLE elsewhere_now AS
    SELECT *, -1 - rowid AS m FROM temp.elsewhere_now`)
  await engine.run(`CREATE OR REPLACE TEMP TABLE member_key AS
    WITH every_key AS (
      SELECT m, type, refers, key_hash FROM temp.here_key SEMI JOIN (SELECT r AS m FROM temp.kept) USING (m)
      UNION ALL SELECT m, type, refers, key_hash FROM (${keysSql('temp.elsewhere_now', ['m'])}))
    SELECT * FROM every_key SEMI JOIN (SELECT key_hash FROM every_key GROUP BY key_hash
      HAVING min(m) <> max(m) AND NOT bool_and(refers)) USING (key_hash)`)
  const [row] = await engine.rows('SELECT count(*) AS n FROM temp.member_key')
  const found = Number(row?.['n']) > 0
  if (found) await fillMembers(engine)
  return found
}

/** Follows ids from hour to hour until no further record turns up. */
const gatherElsewhere = async (engine: Engine, hour: string): Promise<void> => {
  await engine.run(`CREATE OR REPLACE TEMP TABLE elsewhere_now AS
    SELECT *, NULL::TIMESTAMPTZ AS hour FROM temp.originals WHERE false`)
  await engine.run(`CREATE OR REPLACE TEMP TABLE seen AS
    SELECT hour, append_time, "partition", "offset" FROM temp.call_ids WHERE false`)
  await engine.run(`CREATE OR REPLACE TEMP TABLE frontier AS
    SELECT DISTINCT ${hour} AS hour, refers, key_hash FROM temp.here_key`)
  while (await findNext(engine, hour)) {
    await engine.run('INSERT INTO seen FROM temp.found')
    await engine.run(`CREATE OR REPLACE TEMP TABLE arrived AS
      SELECT o.*, f.hour FROM temp.originals o JOIN temp.found f
        ON f.hour = date_trunc('hour', o.time) AND f.append_time = o.append_time
        AND f."partition" = o."partition" AND f."offset" = o."offset"`)
    await engine.run('INSERT INTO elsewhere_now FROM temp.arrived')
    await engine.run(`CREATE OR REPLACE TEMP TABLE frontier AS
      SELECT DISTINCT hour, refers, key_hash FROM (${keysSql('temp.arrived', ['hour'])})`)
  }
}

const findNext = async (engine: Engine, hour: string): Promise<boolean> => {
  await engine.run(`CREATE OR REPLACE TEMP TABLE found AS
    SELECT DISTINCT i.hour, i.append_time, i."partition", i."offset"
    FROM temp.call_ids i JOIN temp.frontier f
      ON f.key_hash = i.key_hash AND NOT (f.refers AND i.refers)
    WHERE i.hour <> ${hour} AND abs(date_diff('hour', i.hour, f.hour))
      <= CASE WHEN i.near THEN ${NEAR_HOURS} ELSE ${LASTING_HOURS} END
    EXCEPT FROM temp.seen`)
  const [row] = await engine.rows('SELECT count(*) AS n FROM temp.found')
  return Number(row?.['n']) > 0
}

const fillMembers = async (engine: Engine): Promise<void> => {
  await connect(engine, '(SELECT key_hash AS g, m AS node FROM temp.member_key)', 'family')
  const row = (m: string, from: string): string => `SELECT ${m}::BIGINT AS m, ${m}::BIGINT AS call,
    tenant, source, id, append_time, "partition", "offset", span_id, parent_span_id,
    response_id, request_id, operation_id, in_total, out_total, time AS starts,
    time + to_milliseconds(coalesce(duration_ms, 0)) AS ends FROM ${from}`
  await engine.run(`CREATE OR REPLACE TEMP TABLE member AS
    SELECT r.*, f.c AS family FROM temp.family f JOIN (
      ${row('r', 'temp.kept')} UNION ALL ${row('m', 'temp.elsewhere_now')}) r ON r.m = f.node`)
  await engine.run(`CREATE OR REPLACE TEMP TABLE family_hashes AS
    SELECT family, md5(string_agg(concat_ws(chr(31), tenant, source, id, epoch_us(append_time), "partition", "offset"),
      chr(30) ORDER BY tenant, source, id, append_time, "partition", "offset")) AS family_hash
    FROM temp.member GROUP BY family`)
}
