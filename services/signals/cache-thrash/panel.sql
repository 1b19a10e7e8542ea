-- One row per minute and tenant: percent of input tokens that the prompt cache served.
SELECT
  window_start,
  tenant AS series,
  100.0 * sum(cache_h) / nullif(sum(cache_w), 0) AS hit_rate_pct
FROM windows
WHERE cache_n > 0
GROUP BY ALL
ORDER BY window_start, series
