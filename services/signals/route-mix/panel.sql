-- One row per minute and tenant: percent of calls that another model served than was asked for.
SELECT
  window_start,
  tenant AS series,
  100.0 * sum(CASE WHEN response_model <> request_model THEN n ELSE 0 END) / sum(n) AS other_model_pct
FROM windows
WHERE kind = 'llm' AND request_model IS NOT NULL AND response_model IS NOT NULL
GROUP BY ALL
ORDER BY window_start, series
