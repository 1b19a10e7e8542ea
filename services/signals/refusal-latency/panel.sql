-- One row per minute, tenant and path: 95th percentile of a trace's time from first step to last, for
-- traces that were refused or rewritten and for those that were answered.
SELECT
  time_bucket(INTERVAL 60 SECONDS, started) AS window_start,
  concat_ws(' ', tenant, CASE WHEN refused THEN 'refusal' ELSE 'answer' END) AS series,
  quantile_cont(trace_ms, 0.95) AS trace_p95_ms
FROM (
  SELECT
    tenant,
    trace_id,
    min(time) AS started,
    max(epoch_ms(time) + duration_ms) - epoch_ms(min(time)) AS trace_ms,
    coalesce(bool_or(verdict IN ('block', 'refuse', 'rewrite') OR refusal), false) AS refused
  FROM events
  WHERE trace_id IS NOT NULL AND duration_ms IS NOT NULL AND kind <> 'evaluation'
  GROUP BY ALL
)
GROUP BY ALL
ORDER BY window_start, series
