-- One row per minute, tenant and index: median over rerank steps of the best document's score.
SELECT
  time_bucket(INTERVAL 60 SECONDS, time) AS window_start,
  concat_ws(' ', tenant, name) AS series,
  median(scores[1]) AS top_score
FROM events
WHERE kind = 'rerank' AND len(scores) > 0
GROUP BY ALL
ORDER BY window_start, series
