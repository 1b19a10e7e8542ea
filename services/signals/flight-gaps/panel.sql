-- One row per minute and emitter: percent of the facts a replay needs that its traced steps carry
-- (parents aside, which show only over steps).
SELECT
  time_bucket(INTERVAL 60 SECONDS, time) AS window_start,
  coalesce(emitter, 'unnamed') AS series,
  100.0 * avg(
    CASE
      WHEN kind = 'tool' THEN (result_hash IS NOT NULL AND NOT coalesce(result_truncated, false))::INT
      ELSE (
        (response_model IS NOT NULL)::INT + (system_prompt_hash IS NOT NULL)::INT
        + (temperature IS NOT NULL)::INT + (coalesce(in_total, out_total) IS NOT NULL)::INT
      ) / 4
    END
  ) AS completeness_pct
FROM events
WHERE trace_id IS NOT NULL AND kind IN ('llm', 'tool') AND error_type IS NULL
GROUP BY ALL
ORDER BY window_start, series
