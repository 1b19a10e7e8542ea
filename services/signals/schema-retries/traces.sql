-- One row per attempt whose structured output was judged: whether it satisfied the schema, which
-- attempt of which operation it was, and what it cost.
SELECT
  time_bucket(INTERVAL 60 SECONDS, time) AS window_start,
  tenant,
  coalesce(response_model, request_model) AS model,
  output_schema AS schema,
  (epoch_ms(time) % 60000)::DOUBLE AS at_ms,
  schema_valid::INTEGER::DOUBLE AS valid,
  attempt::DOUBLE AS attempt,
  cost_pico::DOUBLE AS cost_pico,
  operation_id AS operation,
  schema_error AS error,
  id
FROM events
WHERE schema_valid IS NOT NULL
