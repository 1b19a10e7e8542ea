-- One row per minute, tenant and component (tool, index, stage or model of a provider): calls,
-- those that failed, and those that failed because the provider throttled or was overloaded.
SELECT
  window_start,
  tenant,
  kind,
  name,
  provider,
  coalesce(response_model, request_model) AS model,
  sum(n)::DOUBLE AS n,
  sum(n_error)::DOUBLE AS failed,
  sum(coalesce(n_429, 0) + coalesce(n_529, 0))::DOUBLE AS throttled,
  sum(cost_pico)::DOUBLE AS cost_pico
FROM windows
WHERE kind <> 'evaluation'
GROUP BY ALL
