-- One row per minute, tenant, provider, serving model and route: calls, how many of them were
-- attempts after the first, and what those cost.
SELECT
  window_start,
  tenant,
  provider,
  coalesce(response_model, request_model) AS model,
  route,
  sum(n)::DOUBLE AS n,
  sum(n_retry)::DOUBLE AS retries,
  sum(cost_pico)::DOUBLE AS cost_pico,
  sum(cost_retry_pico)::DOUBLE AS cost_retry_pico,
  sum(n_429)::DOUBLE AS n_429,
  sum(n_529)::DOUBLE AS n_529
FROM windows
WHERE kind IN ('llm', 'embedding', 'rerank')
GROUP BY ALL
