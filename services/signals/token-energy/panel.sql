-- One row per minute and tenant: output tokens per joule, both of the calls whose energy is recorded.
SELECT
  window_start,
  tenant AS series,
  sum(energy_out_total) / nullif(sum(energy_told_uj) / 1e6, 0) AS tokens_per_joule
FROM windows
WHERE energy_n > 0
GROUP BY ALL
ORDER BY window_start, series
