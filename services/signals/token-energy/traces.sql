-- One row per minute, tenant and deployment: the work of its model calls and what it ran on. Calls
-- that report no output are left out, since null is not 0. Recorded joules are those
-- that landing estimated, restated once the hour is settled.
SELECT
  time_bucket(INTERVAL 60 SECONDS, time) AS window_start,
  tenant,
  coalesce(response_model, request_model) AS model,
  gpu,
  precision,
  n_gpus::VARCHAR AS n_gpus,
  count(*)::DOUBLE AS n,
  sum(out_total)::DOUBLE AS out,
  sum(
    coalesce(in_uncached, in_total - coalesce(in_cache_read, 0), 0) + coalesce(in_tool_use, 0)
    + coalesce(in_cache_write_5m, 0) + coalesce(in_cache_write_30m, 0)
    + coalesce(in_cache_write_1h, 0) + coalesce(in_cache_write_12h, 0)
    + coalesce(in_cache_write_unk, 0)
  )::DOUBLE AS uncached,
  sum(coalesce(in_cache_read, 0))::DOUBLE AS cached,
  sum(pow((coalesce(in_total, 0) + out_total)::DOUBLE, 2)) AS squares,
  -- The batch that energy depends on is the harmonic mean over output tokens.
  sum(CASE WHEN concurrency > 0 THEN out_total / greatest(concurrency, 1) END)::DOUBLE AS out_per_batch,
  sum(CASE WHEN concurrency > 0 THEN out_total END)::DOUBLE AS out_with_batch,
  sum(CASE WHEN duration_ms > ttft_ms AND out_total > 1 THEN duration_ms - ttft_ms END)::DOUBLE
    AS decode_ms,
  sum(CASE WHEN duration_ms > ttft_ms AND out_total > 1 THEN out_total - 1 END)::DOUBLE
    AS decode_tokens,
  sum(energy_mid_uj)::DOUBLE / 1e6 AS joules,
  count(energy_mid_uj)::DOUBLE AS joules_n,
  sum(cost_pico)::DOUBLE AS cost_pico
FROM events
WHERE kind = 'llm' AND out_total > 0
GROUP BY ALL
