-- One row per step of a traced flight: what is there to replay it by. A fact is 1 where it is
-- recorded, 0 where it is missing, null where the step has no such thing. Traces and spans are only
-- compared, so 53 bits of their hashes stand for them.
SELECT
  time_bucket(INTERVAL 60 SECONDS, time) AS window_start,
  tenant,
  emitter,
  epoch_ms(time)::DOUBLE AS time_ms,
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
  (hash(trace_id) >> 11)::DOUBLE AS trace,
  CASE WHEN span_id IS NOT NULL THEN (hash(trace_id, span_id) >> 11)::DOUBLE END AS span,
  CASE WHEN parent_span_id IS NOT NULL THEN (hash(trace_id, parent_span_id) >> 11)::DOUBLE END
    AS parent,
  CASE WHEN kind = 'agent' THEN name END AS agent
FROM (
  SELECT *, (coalesce(status, 200) >= 400 OR error_type IS NOT NULL)::INT AS failed FROM events
)
WHERE trace_id IS NOT NULL
