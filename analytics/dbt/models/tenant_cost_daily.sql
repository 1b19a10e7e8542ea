-- One row a day and tenant: calls, tokens and metered cost.
{{ config(materialized='table') }}
SELECT
  date_trunc('day', window_start AT TIME ZONE 'UTC')::DATE AS day,
  tenant,
  sum(n)::BIGINT AS calls,
  sum(in_total)::BIGINT AS in_total,
  sum(out_total)::BIGINT AS out_total,
  sum(cost_pico)::HUGEINT AS cost_pico
FROM {{ source('tally', 'windows') }}
GROUP BY ALL
