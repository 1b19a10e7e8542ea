-- One row per step of a trace: when it ran, what stage it is, and whether it refused. Traces are put
-- together in the fold, since their steps may lie in several minutes.
SELECT
  time_bucket(INTERVAL 60 SECONDS, time) AS window_start,
  tenant,
  id,
  trace_id,
  span_id,
  parent_span_id,
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
