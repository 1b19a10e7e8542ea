-- One row per minute, tenant, model and thing that may drift by the hour: trials and bad ones among
-- them. Latency comes as one row per 10 % step of duration, since what is slow is learned later.
WITH calls AS (
  SELECT *, coalesce(response_model, request_model) AS model FROM windows
),
sums AS MATERIALIZED (
  SELECT
    window_start,
    tenant,
    provider,
    model,
    sum(n) FILTER (kind = 'llm')::DOUBLE AS n,
    sum(coalesce(n_429, 0) + coalesce(n_529, 0) + coalesce(n_fallback, 0))
      FILTER (kind = 'llm')::DOUBLE AS degraded,
    sum(n_refusal_known) FILTER (kind = 'llm')::DOUBLE AS n_refusal_known,
    sum(n_refused) FILTER (kind = 'llm' AND n_refusal_known > 0)::DOUBLE AS n_refused,
    sum(n_schema)::DOUBLE AS n_schema,
    sum(n_schema - n_schema_valid) FILTER (n_schema > 0)::DOUBLE AS n_invalid,
    sum(score_n) FILTER (score_ppm BETWEEN 0 AND 1000000 * score_n)::DOUBLE AS score_n,
    sum(score_n - score_ppm / 1e6)
      FILTER (score_n > 0 AND score_ppm BETWEEN 0 AND 1000000 * score_n)::DOUBLE AS score_lost
  FROM calls
  WHERE kind = 'llm' OR n_schema > 0 OR score_n > 0
  GROUP BY ALL
)
SELECT
  window_start, tenant, provider, model, 'latency' AS what,
  bin AS step, sum(n)::DOUBLE AS n, NULL::DOUBLE AS bad
FROM (
  SELECT window_start, tenant, provider, model, unnest(map_keys(duration_hist)) // 5 AS bin,
    unnest(map_values(duration_hist)) AS n
  FROM calls WHERE kind = 'llm' AND duration_n > 0
)
GROUP BY ALL
UNION ALL
SELECT window_start, tenant, provider, model, 'degraded', NULL, n, degraded FROM sums WHERE n > 0
UNION ALL
SELECT window_start, tenant, provider, model, 'refusals', NULL, n_refusal_known, n_refused
FROM sums WHERE n_refusal_known > 0
UNION ALL
SELECT window_start, tenant, provider, model, 'format_failures', NULL, n_schema, n_invalid
FROM sums WHERE n_schema > 0
UNION ALL
SELECT window_start, tenant, provider, model, 'judged_loss', NULL, score_n, score_lost
FROM sums WHERE score_n > 0
