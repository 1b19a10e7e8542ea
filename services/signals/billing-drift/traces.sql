-- One row per minute, series and kind of comparison: calls whose stated cost agrees with the metered
-- one within 1 % or the rounding of the statement are counted in one row. Of the others, up to 20
-- rows each show one call, with the weight that makes them stand for all.
WITH compared AS (
  SELECT
    time_bucket(INTERVAL 60 SECONDS, time) AS window_start,
    provider,
    coalesce(response_model, request_model) AS model,
    emitter,
    events.*
    EXCLUDE (provider, emitter),
    TRY_CAST(cost_reported_usd AS DOUBLE) * 1e12 AS stated_pico,
    -- A statement of fewer decimals than it takes is off by up to one of its last digit.
    CASE
      WHEN regexp_matches(cost_reported_usd, '[eE]') THEN 0
      ELSE pow(10, 12 - len(split_part(cost_reported_usd, '.', 2)))
    END AS rounding_pico
  FROM events
  WHERE cost_reported_usd IS NOT NULL AND cost_pico IS NOT NULL
),
judged AS (
  SELECT
    *,
    abs(stated_pico - cost_pico) <= greatest(0.01 * cost_pico, least(rounding_pico, 1e6), 1)
      AS agrees
  FROM compared
  WHERE stated_pico IS NOT NULL
)
SELECT
  window_start,
  provider,
  model,
  emitter,
  count(*)::DOUBLE AS calls,
  sum(cost_pico)::DOUBLE AS metered_pico,
  sum(stated_pico)::DOUBLE AS stated_pico,
  NULL AS weight,
  NULL AS time_ms,
  NULL AS rounding_pico,
  NULL AS stated_tokens_pico,
  NULL AS event,
  NULL AS tenant,
  NULL AS id
FROM judged
WHERE agrees
GROUP BY ALL
UNION ALL
SELECT
  window_start,
  provider,
  model,
  emitter,
  1 AS calls,
  cost_pico::DOUBLE AS metered_pico,
  stated_pico,
  greatest(1, count(*) OVER of_series / 20.0) AS weight,
  epoch_ms(time)::DOUBLE AS time_ms,
  rounding_pico,
  (
    TRY_CAST(json_extract_string(usage, '$.cost_details.upstream_inference_prompt_cost') AS DOUBLE)
    + TRY_CAST(
      json_extract_string(usage, '$.cost_details.upstream_inference_completions_cost') AS DOUBLE
    )
  ) * 1e12 AS stated_tokens_pico,
  to_json({
    request_model: request_model,
    response_model: response_model,
    service_tier: service_tier,
    region: region,
    provider_account: provider_account,
    batch: batch,
    units: units,
    iterations: iterations,
    tokens: {
      in_uncached: in_uncached,
      in_cache_read: in_cache_read,
      in_cache_write_5m: in_cache_write_5m,
      in_cache_write_30m: in_cache_write_30m,
      in_cache_write_1h: in_cache_write_1h,
      in_cache_write_12h: in_cache_write_12h,
      in_cache_write_unk: in_cache_write_unk,
      in_tool_use: in_tool_use,
      out_text: out_text,
      out_reasoning: out_reasoning,
      in_total: in_total,
      out_total: out_total,
      in_audio: in_audio,
      in_image: in_image,
      in_video: in_video,
      in_cached_audio: in_cached_audio,
      in_cached_image: in_cached_image,
      out_audio: out_audio,
      out_image: out_image
    }
  })::VARCHAR AS event,
  tenant,
  id
FROM judged
WHERE NOT agrees
WINDOW of_series AS (PARTITION BY window_start, provider, model, emitter)
QUALIFY row_number() OVER (PARTITION BY window_start, provider, model, emitter ORDER BY time, id) <= 20
