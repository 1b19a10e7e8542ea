/**
 * Concurrency by overlap over columns: the mean number of calls running beside each on the same
 * replica, as `overlapConcurrency` has it, in SQL for whole hours. The integral of the running count
 * up to a moment t is Σ change · (t − edge) over the edges before: two running sums, one sort. All
 * terms are whole numbers below 2^53, so the result does not depend on the order of rows.
 */
export type OverlapOptions = {
  /** Relation of calls, as it is named in FROM, and the column that identifies one. */
  calls: string
  key: string
  /** Expressions over a call: its replica, start and end in milliseconds. */
  replica: readonly string[]
  startMs: string
  endMs: string
  /** A moment near the calls, from which edges are counted to stay small. */
  originMs: number
}

/** When an event with a duration ran: from leaving its queue to its end, ms since the epoch. */
export const EVENT_START_MS = '(epoch_ms("time") + coalesce(queue_ms, 0))'
export const EVENT_END_MS = `greatest(${EVENT_START_MS}, epoch_ms("time") + duration_ms)`

/** Rows of the key and `overlap` (DOUBLE, at least 1), for every row of `calls`. */
export const overlapSql = ({
  calls,
  key,
  replica,
  startMs,
  endMs,
  originMs
}: OverlapOptions): string => `SELECT ${key},
    -- The ends less the starts: what ran meanwhile, and for how long the call itself ran.
    greatest(1, coalesce(sum(change_ * (at_ * running_ - edges_))
      / nullif(sum(change_ * at_), 0), 1)) AS overlap
  FROM (SELECT ${key}, change_, at_, sum(change_) OVER before_ AS running_,
      sum(change_ * at_) OVER before_ AS edges_
    FROM (
      SELECT ${key}, replica_, unnest([1, -1])::DOUBLE AS change_, unnest([start_, end_]) AS at_
      FROM (SELECT ${key}, hash(${replica.join(', ')}) AS replica_,
          ((${startMs}) - ${originMs})::DOUBLE AS start_, ((${endMs}) - ${originMs})::DOUBLE AS end_
        FROM ${calls}))
    WINDOW before_ AS (PARTITION BY replica_ ORDER BY at_ ROWS UNBOUNDED PRECEDING))
  GROUP BY ${key}`

/**
 * Model calls with `concurrency` from overlap where none is told and the host is known: calls of one
 * model on one host share its batch.
 * `untilMs` is where the calls that are seen end: what runs on is judged by its part before.
 */
export const withOverlapSql = (
  calls: string,
  key: string,
  { originMs, untilMs }: { originMs: number; untilMs: number | null }
): string => {
  const overlap = overlapSql({
    calls: `${calls} WHERE host IS NOT NULL AND duration_ms IS NOT NULL`,
    key,
    originMs,
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
