/* How each tenant sent data in the last week before its latest window, and all tenants together
   (tenant null): end of the latest window, longest time between two, minutes with data. */
WITH minutes AS (
  SELECT DISTINCT tenant, window_start FROM windows
  UNION ALL
  SELECT DISTINCT NULL::VARCHAR AS tenant, window_start FROM windows
),
gaps AS (
  SELECT
    tenant,
    epoch_ms(window_start) AS start_ms,
    epoch_ms(window_start) - epoch_ms(lag(window_start) OVER (PARTITION BY tenant ORDER BY window_start)) AS gap_ms,
    epoch_ms(max(window_start) OVER (PARTITION BY tenant)) AS last_ms
  FROM minutes
)
SELECT
  tenant,
  (any_value(last_ms) + 60000)::DOUBLE AS last_ms,
  coalesce(max(gap_ms), 0)::DOUBLE AS gap_ms_max,
  count(*)::INTEGER AS windows
FROM gaps
WHERE start_ms > last_ms - 7 * 86400000
GROUP BY tenant
ORDER BY tenant NULLS FIRST
