-- One row per minute, tenant and model: percent of structured outputs that satisfied their schema.
SELECT
  window_start,
  concat_ws(' ', tenant, coalesce(response_model, request_model)) AS series,
  100.0 * sum(n_schema_valid) / nullif(sum(n_schema), 0) AS first_pass_pct
FROM windows
WHERE n_schema > 0
GROUP BY ALL
ORDER BY window_start, series
