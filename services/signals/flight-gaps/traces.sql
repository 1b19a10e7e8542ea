-- One row per step of a traced flight: what is there to replay it by. A fact is 1 where it is
-- recorded, 0 where it is missing, null where the step has no such thing.
SELECT
  time_bucket(INTERVAL 60 SECONDS, time) AS window_start,
  tenant,
  emitter,
  epoch_ms(time)::DOUBLE AS time_ms,
  (kind = 'agent')::INT AS is_agent,
  CASE WHEN kind = 'llm' AND failed = 0 THEN (response_model IS NOT NULL)::INT END AS version,
  CASE WHEN kind = 'llm' THEN (system_prompt_hash IS NOT NULL)::INT END AS prompt,
  CASE WHEN kind = 'llm' THEN (temperature IS NOT NULL)::INT END AS temperature,
  CASE
    WHEN kind = 'llm' AND failed = 0 THEN (in_total IS NOT NULL OR out_total IS NOT NULL)::INT
  END AS usage,
  CASE
    WHEN kind = 'tool' AND failed = 0
      THEN (result_hash IS NOT NULL AND coalesce(result_truncated, false) = false)::INT
  END AS result,
  name,
  trace_id,
  span_id,
  parent_span_id
FROM (
  SELECT *, (coalesce(status, 200) >= 400 OR error_type IS NOT NULL)::INT AS failed FROM events
)
WHERE trace_id IS NOT NULL
