-- One row a day, tenant and model: share of input tokens that the prompt cache served.
{{ config(materialized='table') }}
SELECT
  date_trunc('day', window_start AT TIME ZONE 'UTC')::DATE AS day,
  tenant,
  coalesce(response_model, request_model) AS model,
  sum(cache_h) / nullif(sum(cache_w), 0) AS cache_hit_rate,
  sum(cache_n)::BIGINT AS calls
FROM {{ source('tally', 'windows') }}
WHERE cache_n > 0
GROUP BY ALL
