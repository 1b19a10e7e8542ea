-- One row per minute, tenant, serving model and schema: how many structured outputs were judged and
-- how many satisfied the schema. Used where events are not at hand.
SELECT
  window_start,
  tenant,
  coalesce(response_model, request_model) AS model,
  output_schema AS schema,
  sum(n_schema)::DOUBLE AS judged,
  sum(n_schema_valid)::DOUBLE AS valid,
  sum(cost_pico)::DOUBLE AS cost_pico
FROM windows
WHERE n_schema > 0
GROUP BY ALL
