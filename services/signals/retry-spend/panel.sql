-- One row per minute and tenant: percent of the metered cost that went into attempts after the
-- first.
SELECT
  window_start,
  tenant AS series,
  100.0 * coalesce(sum(cost_retry_pico), 0) / nullif(sum(cost_pico), 0) AS retry_spend_pct
FROM windows
GROUP BY ALL
ORDER BY window_start, series
