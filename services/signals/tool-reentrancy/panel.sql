-- One row per hour and tenant: percent of tool calls that repeat, in their trace, an earlier call
-- with the same arguments and the same result.
SELECT
  window_start,
  series,
  100.0 * (sum(calls) - count(*)) / sum(calls) AS repeated_calls_pct
FROM (
  SELECT
    time_bucket(INTERVAL 1 HOUR, time) AS window_start,
    tenant AS series,
    count(*) AS calls
  FROM events
  WHERE kind = 'tool' AND args_hash IS NOT NULL AND coalesce(trace_id, conversation_id) IS NOT NULL
  GROUP BY 1, 2, coalesce(trace_id, conversation_id), name, args_hash, result_hash
)
GROUP BY ALL
ORDER BY window_start, series
