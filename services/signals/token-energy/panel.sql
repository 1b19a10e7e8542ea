-- One row per minute and tenant: output tokens per joule, over minutes whose energy is recorded.
SELECT
  window_start,
  tenant AS series,
  sum(out_total) / nullif(sum(energy_mid_uj) / 1e6, 0) AS tokens_per_joule
FROM windows
WHERE energy_mid_uj IS NOT NULL
GROUP BY ALL
ORDER BY window_start, series
