-- One row per call that could be one of several attempts: its operation and number, or its shape
-- (same conversation, model, prompt prefix and size) where the emitter names no operation.
SELECT
  time_bucket(INTERVAL 60 SECONDS, time) AS window_start,
  tenant,
  coalesce(response_model, request_model) AS model,
  (epoch_ms(time) % 60000)::DOUBLE AS at_ms,
  attempt::DOUBLE AS attempt,
  (coalesce(in_total, 0) + coalesce(out_total, 0))::DOUBLE AS tokens,
  cost_pico::DOUBLE AS cost_pico,
  status::DOUBLE AS status,
  operation_id AS operation,
  CASE WHEN operation_id IS NULL THEN concat_ws(
    ' ',
    coalesce(conversation_id, trace_id),
    coalesce(request_model, response_model),
    coalesce(prefix_blocks[-1], prefix_hash),
    coalesce(in_total, local_in)
  ) END AS shape,
  coalesce(error_type, CASE WHEN status >= 400 THEN status::VARCHAR END, schema_error) AS failure,
  id
FROM events
WHERE
  kind IN ('llm', 'embedding', 'rerank')
  AND (
    operation_id IS NOT NULL
    OR (
      coalesce(conversation_id, trace_id) IS NOT NULL
      AND coalesce(prefix_blocks[-1], prefix_hash) IS NOT NULL
      AND coalesce(in_total, local_in) IS NOT NULL
    )
  )
