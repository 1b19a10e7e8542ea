-- One row per step of a trace: when it ran, what stage it is, and whether it refused. Traces are put
-- together in the fold, since their steps may lie in several minutes. Traces and spans are only
-- compared, so 53 bits of their hashes stand for them.
SELECT
  time_bucket(INTERVAL 60 SECONDS, time) AS window_start,
  tenant,
  id,
  (hash(tenant, trace_id) >> 11)::DOUBLE AS trace,
  CASE WHEN span_id IS NOT NULL THEN (hash(span_id) >> 11)::DOUBLE END AS span,
  CASE WHEN parent_span_id IS NOT NULL THEN (hash(parent_span_id) >> 11)::DOUBLE END AS parent,
  kind,
  name,
  route,
  "user",
  epoch_ms(time)::DOUBLE AS time_ms,
  duration_ms::DOUBLE AS duration_ms,
  (verdict IN ('block', 'refuse', 'rewrite') OR refusal)::INTEGER::DOUBLE AS refused,
  cost_pico::DOUBLE AS cost_pico
FROM events
WHERE trace_id IS NOT NULL AND duration_ms IS NOT NULL AND kind <> 'evaluation'
