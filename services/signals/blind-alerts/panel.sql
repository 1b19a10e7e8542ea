-- One row per minute, tenant and component: percent of calls that failed.
SELECT
  window_start,
  concat_ws(' ', tenant, kind, coalesce(name, response_model, request_model)) AS series,
  100.0 * sum(n_error) / sum(n) AS failed_pct
FROM windows
WHERE kind <> 'evaluation'
GROUP BY ALL
ORDER BY window_start, series
