-- One row per step of a trace (of a conversation, where there is no trace): who called what, with
-- which arguments, what came back, and what it cost.
SELECT
  time_bucket(INTERVAL 60 SECONDS, time) AS window_start,
  tenant,
  kind,
  coalesce(name, response_model, request_model) AS name,
  (epoch_ms(time) % 60000)::DOUBLE AS at_ms,
  duration_ms::DOUBLE AS duration_ms,
  cost_pico::DOUBLE AS cost_pico,
  (coalesce(in_total, 0) + coalesce(out_total, 0))::DOUBLE AS tokens,
  coalesce(trace_id, conversation_id) AS trace,
  span_id AS span,
  parent_span_id AS parent,
  args_hash AS args,
  result_hash AS result,
  id
FROM events
WHERE coalesce(trace_id, conversation_id) IS NOT NULL AND kind <> 'evaluation'
