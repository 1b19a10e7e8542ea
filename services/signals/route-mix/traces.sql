-- One row per model call, and per judged score of a conversation: what was asked for, what served,
-- for whom, and how it went.
SELECT
  time_bucket(INTERVAL 60 SECONDS, time) AS window_start,
  tenant,
  request_model AS asked,
  CASE WHEN kind = 'llm' THEN coalesce(response_model, request_model) END AS model,
  route,
  (epoch_ms(time) % 60000)::DOUBLE AS at_ms,
  (fallback_from IS NOT NULL)::INTEGER::DOUBLE AS is_fallback,
  refusal::INTEGER::DOUBLE AS refused,
  schema_valid::INTEGER::DOUBLE AS valid,
  round(score * 1e6)::DOUBLE AS score_ppm,
  cost_pico::DOUBLE AS cost_pico,
  coalesce(conversation_id, trace_id) AS conversation,
  "user" AS end_user,
  kind,
  id
FROM events
WHERE
  (kind = 'llm' AND coalesce(response_model, request_model) IS NOT NULL)
  OR (kind = 'evaluation' AND score IS NOT NULL AND coalesce(conversation_id, trace_id) IS NOT NULL)
