-- One row per minute and model: what calls cost by their own statement, in percent of what their
-- tokens cost by the price book, over the calls that have both.
SELECT
  time_bucket(INTERVAL 60 SECONDS, time) AS window_start,
  coalesce(response_model, request_model) AS series,
  100.0 * sum(TRY_CAST(cost_reported_usd AS DOUBLE)) * 1e12 / nullif(sum(cost_pico), 0)
    AS stated_to_metered_pct
FROM events
WHERE cost_reported_usd IS NOT NULL AND cost_pico IS NOT NULL
GROUP BY ALL
ORDER BY window_start, series
