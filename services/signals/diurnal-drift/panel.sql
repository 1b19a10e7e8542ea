-- One row per minute, tenant and model: mean duration of calls against the mean of the same hour of
-- day over all days, in percent.
WITH minutes AS (
  SELECT
    window_start,
    concat_ws(' ', tenant, coalesce(response_model, request_model)) AS series,
    sum(duration_ms) / sum(duration_n) AS mean_ms
  FROM windows
  WHERE kind = 'llm' AND duration_n > 0
  GROUP BY ALL
)
SELECT
  window_start,
  series,
  100.0 * mean_ms / avg(mean_ms) OVER (PARTITION BY series, hour(window_start)) AS of_usual_pct
FROM minutes
ORDER BY window_start, series
