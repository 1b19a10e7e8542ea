import type { Engine } from '../../../services/lake/engine.ts'
import { KEY_TYPES, type KeyType } from './keys.ts'

/**
 * Which witnesses tell of one call. Three kinds of evidence, each weaker than the one before:
 *
 * 1. the response id, which a provider gives once;
 * 2. the request id, and a span that was exported twice;
 * 3. a parent span that is itself a call and has one call below it, and explicit links.
 *
 * An id that contradicts itself joins nothing, and a group that came to hold two response ids
 * falls back to the evidence before. All of it is decided on whole groups, so that neither order
 * nor hour of arrival can matter.
 */

/** Clocks of two machines may differ by so much; calls that are further apart are two. */
const CLOCK_SLACK_S = 60

/** The latest begins before the first one ends. */
const OVERLAP = `max(starts) <= min(ends) + to_seconds(${CLOCK_SLACK_S})`
const ONE_RESPONSE = 'count(DISTINCT response_id) <= 1'

/**
 * Joins nodes that share a group, until nothing changes; the label is the least node.
 * @param groups relation (g, node).
 * @param label table (node, c) to make.
 */
export const connect = async (engine: Engine, groups: string, label: string): Promise<void> => {
  await engine.run(
    `CREATE OR REPLACE TEMP TABLE ${label} AS SELECT DISTINCT node, node AS c FROM ${groups}`
  )
  for (;;) {
    await engine.run(`CREATE OR REPLACE TEMP TABLE lower_label AS
      WITH low AS (SELECT g, min(c) AS c FROM ${groups} JOIN temp.${label} USING (node) GROUP BY g)
      SELECT node, min(low.c) AS low FROM ${groups} JOIN low USING (g)
        JOIN temp.${label} l USING (node) GROUP BY node HAVING min(low.c) < any_value(l.c)`)
    const [row] = await engine.rows('SELECT count(*) AS n FROM temp.lower_label')
    if (Number(row?.['n']) === 0) return
    await engine.run(
      `UPDATE ${label} SET c = low FROM temp.lower_label l WHERE ${label}.node = l.node`
    )
  }
}

/**
 * Fills `member.call` (the label of each record's call) out of `member` (one row a record) and
 * `member_key` (its ids), and makes `unsound` (ids that prove nothing), `judged` (calls that the
 * tree relates and whether they fit; a call's label is one of its records) and `children` (calls
 * below a call).
 */
export const findCalls = async (engine: Engine): Promise<void> => {
  await engine.run('CREATE OR REPLACE TEMP TABLE unsound (key_hash BIGINT, type INTEGER)')
  await byResponse(engine)
  await byRequestAndSpan(engine)
  await byTree(engine)
}

const byResponse = async (engine: Engine): Promise<void> => {
  // One emitter that gives one response two sizes of input has used an id twice; so have two
  // that differ and did not happen at the same time.
  await engine.run(`INSERT INTO unsound
    SELECT key_hash, ${KEY_TYPES.response} FROM (
      SELECT key_hash, source, min(in_total) AS low_in, max(in_total) AS high_in,
        min(out_total) AS low_out, max(out_total) AS high_out,
        max(starts) AS starts, min(ends) AS ends
      FROM temp.member_key JOIN temp.member USING (m) WHERE type = ${KEY_TYPES.response}
      GROUP BY key_hash, source)
    GROUP BY key_hash
    HAVING coalesce(bool_or(low_in <> high_in), false)
      OR (NOT (${OVERLAP}) AND coalesce(min(low_in) <> max(high_in) OR min(low_out) <> max(high_out), false))`)
  await engine.run(`CREATE OR REPLACE TEMP TABLE labelled AS
    SELECT m, min(m) OVER (PARTITION BY key_hash) AS c FROM (${soundKeys(['response'])})`)
  await label(engine)
}

/** Ids of the given types that join, as (m, key_hash). */
const soundKeys = (types: readonly KeyType[]): string =>
  `SELECT m, key_hash FROM temp.member_key k
   WHERE type IN (${types.map((type) => KEY_TYPES[type]).join(', ')})
     AND NOT EXISTS (FROM temp.unsound u WHERE u.key_hash = k.key_hash AND u.type = k.type)`

/** Takes the labels of `labelled` as the calls known so far. */
const label = (engine: Engine): Promise<void> =>
  engine.run('UPDATE member SET call = l.c FROM temp.labelled l WHERE member.m = l.m')

const byRequestAndSpan = async (engine: Engine): Promise<void> => {
  const { request, span } = KEY_TYPES
  // A gateway that keeps its own request id over its attempts shows it from one source twice.
  await engine.run(`INSERT INTO unsound
    SELECT key_hash, type FROM temp.member_key JOIN temp.member USING (m)
    WHERE type IN (${request}, ${span}) GROUP BY key_hash, type
    HAVING NOT (${ONE_RESPONSE})
      OR (type = ${request} AND (count(DISTINCT coalesce(source, '')) < count(*) OR NOT (${OVERLAP})))`)
  await engine.run(`CREATE OR REPLACE TEMP TABLE grouped AS
    SELECT DISTINCT key_hash AS g, call AS node
    FROM (${soundKeys(['request', 'span'])}) JOIN temp.member USING (m)`)
  await joinCalls(engine)
}

/** Joins calls by `grouped`, but for groups that would hold two response ids. */
const joinCalls = async (engine: Engine): Promise<void> => {
  await connect(engine, 'temp.grouped', 'joined')
  await engine.run(`CREATE OR REPLACE TEMP TABLE labelled AS
    WITH sound AS (SELECT j.c FROM temp.joined j JOIN temp.member ON call = node
      GROUP BY j.c HAVING ${ONE_RESPONSE})
    SELECT m, j.c FROM temp.member JOIN temp.joined j ON node = call JOIN sound ON sound.c = j.c`)
  await label(engine)
}

/** Both accounts of a total have a value in common, or one has none. */
const agree = (total: 'in' | 'out'): string =>
  `coalesce(n.${total}_low <= o.${total}_high AND o.${total}_low <= n.${total}_high, true)`

const byTree = async (engine: Engine): Promise<void> => {
  const { parent, link } = KEY_TYPES
  await engine.run(`CREATE OR REPLACE TEMP TABLE referring AS
    SELECT DISTINCT named, other, type FROM (${referringSql([parent, link])})`)
  // A call with several calls below it stands above its attempts; a link to several says nothing.
  await engine.run(`CREATE OR REPLACE TEMP TABLE pairs AS
    SELECT named, any_value(other) AS other FROM temp.referring WHERE type = ${parent}
      GROUP BY named HAVING count(*) = 1 AND any_value(other) <> named
    UNION SELECT any_value(named), other FROM temp.referring WHERE type = ${link}
      GROUP BY other HAVING count(*) = 1 AND any_value(named) <> other`)
  await engine.run(`CREATE OR REPLACE TEMP TABLE facts AS
    SELECT call, min(response_id) AS response_id, max(starts) AS starts, min(ends) AS ends,
      min(in_total) AS in_low, max(in_total) AS in_high,
      min(out_total) AS out_low, max(out_total) AS out_high FROM temp.member GROUP BY call`)
  const fits = `coalesce(n.response_id = o.response_id, true) AND ${agree('in')} AND ${agree('out')}
    AND greatest(n.starts, o.starts) <= least(n.ends, o.ends) + to_seconds(${CLOCK_SLACK_S})`
  await engine.run(`CREATE OR REPLACE TEMP TABLE judged AS
    SELECT p.named, p.other, ${fits} AS fits FROM temp.pairs p
      JOIN temp.facts n ON n.call = p.named JOIN temp.facts o ON o.call = p.other`)
  await engine.run(`CREATE OR REPLACE TEMP TABLE grouped AS
    SELECT g, unnest([named, other]) AS node
    FROM (SELECT row_number() OVER () AS g, * FROM temp.judged WHERE fits)`)
  await joinCalls(engine)
  await engine.run(`CREATE OR REPLACE TEMP TABLE children AS
    SELECT named AS above, other AS call, min(span_id) AS span_id
    FROM (${referringSql([parent])}) GROUP BY named, other`)
}

/** Calls whose records refer to a span of another call's record. */
const referringSql = (types: readonly number[]): string =>
  `SELECT DISTINCT named.call AS named, other.call AS other, k.type, named.span_id
   FROM temp.member_key k JOIN temp.member other ON other.m = k.m
   JOIN temp.member_key s ON s.key_hash = k.key_hash AND s.type = ${KEY_TYPES.span}
   JOIN temp.member named ON named.m = s.m WHERE k.type IN (${types.join(', ')})`
