-- One row per minute, tenant, serving model, route and cache pool: how much of the input was served
-- from the prompt cache, over the events that report it, with the second moments that calibrate.
SELECT
  window_start,
  tenant,
  provider,
  coalesce(response_model, request_model) AS model,
  route,
  cache_pool,
  sum(cache_n)::DOUBLE AS n,
  sum(cache_null_n)::DOUBLE AS null_n,
  sum(cache_w)::DOUBLE AS w,
  sum(cache_h)::DOUBLE AS h,
  sum(cache_ww)::DOUBLE AS ww,
  sum(cache_x_ppm)::DOUBLE AS x_ppm,
  sum(
    coalesce(in_cache_write_5m, in_cache_write_30m, in_cache_write_1h, in_cache_write_12h, in_cache_write_unk)
  )::DOUBLE AS writes,
  sum(cost_pico)::DOUBLE AS cost_pico
FROM windows
WHERE cache_n > 0 OR cache_null_n > 0
GROUP BY ALL
