-- One row per minute, model and script: reported output tokens above the local count, in percent of
-- it, over the calls that have both.
SELECT
  window_start,
  concat_ws(' ', coalesce(response_model, request_model), script) AS series,
  100.0 * (sum(drift_out_r) / nullif(sum(drift_out_l), 0) - 1) AS drift_pct
FROM windows
WHERE drift_out_n > 0 AND coalesce(out_reasoning, 0) = 0
GROUP BY ALL
ORDER BY window_start, series
