-- One row per minute, tenant, model and thing that may drift by the hour: trials and bad ones among
-- them. Latency comes as one row per 10 % step of duration, since what is slow is learned later.
WITH calls AS (
  SELECT *, coalesce(response_model, request_model) AS model FROM windows
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
UNION ALL BY NAME
SELECT
  window_start, tenant, provider, model, 'degraded' AS what,
  NULL AS step, sum(n)::DOUBLE AS n, sum(coalesce(n_429, 0) + coalesce(n_529, 0) + coalesce(n_fallback, 0))::DOUBLE AS bad
FROM calls WHERE kind = 'llm' GROUP BY ALL
UNION ALL BY NAME
SELECT
  window_start, tenant, provider, model, 'refusals' AS what,
  NULL AS step, sum(n_refusal_known)::DOUBLE AS n, sum(n_refused)::DOUBLE AS bad
FROM calls WHERE kind = 'llm' AND n_refusal_known > 0 GROUP BY ALL
UNION ALL BY NAME
SELECT
  window_start, tenant, provider, model, 'format_failures' AS what,
  NULL AS step, sum(n_schema)::DOUBLE AS n, sum(n_schema - n_schema_valid)::DOUBLE AS bad
FROM calls WHERE n_schema > 0 GROUP BY ALL
UNION ALL BY NAME
SELECT
  window_start, tenant, provider, model, 'judged_loss' AS what,
  NULL AS step, sum(score_n)::DOUBLE AS n, sum(score_n - score_ppm / 1e6)::DOUBLE AS bad
FROM calls WHERE score_n > 0 AND score_ppm BETWEEN 0 AND 1000000 * score_n GROUP BY ALL
