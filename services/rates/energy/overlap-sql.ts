/**
 * Concurrency by overlap over columns: the mean number of calls running beside each on the same
 * replica, as `overlapConcurrency` has it, in SQL for whole hours. Integer milliseconds throughout,
 * so that the result does not depend on the order of rows.
 */
export type OverlapOptions = {
  /** Relation of calls, as it is named in FROM, and the column that identifies one. */
  calls: string
  key: string
  /** Expressions over a call: its replica, start and end in milliseconds. */
  replica: readonly string[]
  startMs: string
  endMs: string
}

/** When an event with a duration ran: from leaving its queue to its end, ms since the epoch. */
export const EVENT_START_MS = '(epoch_ms("time") + coalesce(queue_ms, 0))'
export const EVENT_END_MS = `greatest(${EVENT_START_MS}, epoch_ms("time") + duration_ms)`

/** Rows of the key and `overlap` (DOUBLE, at least 1); calls without replica or times are absent. */
export const overlapSql = ({ calls, key, replica, startMs, endMs }: OverlapOptions): string => {
  const names = replica.map((_, index) => `replica_${index}`)
  const replicas = replica.map((expression, index) => `${expression} AS ${names[index]}`).join(', ')
  const known = names.map((name) => `${name} IS NOT NULL`).join(' AND ')
  return `WITH calls_ AS MATERIALIZED (
    SELECT * FROM (SELECT ${key} AS call_, ${replicas}, (${startMs})::BIGINT AS start_,
      (${endMs})::BIGINT AS end_ FROM ${calls}) WHERE ${known} AND end_ >= start_),
  -- Edges at one moment are one edge: calls share milliseconds.
  edges_ AS (
    SELECT ${names.join(', ')}, at_, sum(change_)::BIGINT AS change_ FROM (
      SELECT ${names.join(', ')}, start_ AS at_, 1 AS change_ FROM calls_
      UNION ALL SELECT ${names.join(', ')}, end_, -1 FROM calls_)
    GROUP BY ALL),
  running_ AS (
    SELECT *, sum(change_) OVER upto_ AS running_,
      lead(at_) OVER (PARTITION BY ${names.join(', ')} ORDER BY at_) - at_ AS lasting_
    FROM edges_
    WINDOW upto_ AS (PARTITION BY ${names.join(', ')} ORDER BY at_ ROWS UNBOUNDED PRECEDING)),
  timeline_ AS MATERIALIZED (
    SELECT ${names.join(', ')}, at_, coalesce(sum(running_ * lasting_) OVER (
      PARTITION BY ${names.join(', ')} ORDER BY at_
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS integral_
    FROM running_)
  SELECT call_ AS ${key}, CASE WHEN end_ > start_
    THEN greatest(1, (e_.integral_ - s_.integral_)::DOUBLE / (end_ - start_)) ELSE 1 END AS overlap
  FROM calls_ c_
  JOIN timeline_ s_ ON ${onReplica('s_', names)} AND s_.at_ = start_
  JOIN timeline_ e_ ON ${onReplica('e_', names)} AND e_.at_ = end_`
}

const onReplica = (alias: string, names: readonly string[]): string =>
  names.map((name) => `${alias}.${name} = c_.${name}`).join(' AND ')

/**
 * Model calls with `concurrency` from overlap where none is told and the host is known: calls of one
 * model on one host share its batch.
 * @param untilMs where the calls that are seen end: what runs on is judged by its part before.
 */
export const withOverlapSql = (calls: string, key: string, untilMs: number | null): string => {
  const overlap = overlapSql({
    calls: `${calls} WHERE host IS NOT NULL AND duration_ms IS NOT NULL`,
    key,
    replica: ['host', "coalesce(response_model, '')"],
    startMs: EVENT_START_MS,
    endMs:
      untilMs === null
        ? EVENT_END_MS
        : `least(${EVENT_END_MS}, greatest(${untilMs}, ${EVENT_START_MS}))`
  })
  return `(SELECT c.* REPLACE (coalesce(c.concurrency, o.overlap) AS concurrency)
    FROM ${calls} c LEFT JOIN (${overlap}) o USING (${key}))`
}
