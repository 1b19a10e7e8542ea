-- One row per rerank step: scores and identities of the first 50 documents that it kept, best
-- first, how many came in, and what served. Nothing is looked up beyond the step itself.
SELECT
  time_bucket(INTERVAL 60 SECONDS, time) AS window_start,
  tenant,
  name,
  id,
  concat_ws('/', coalesce(response_model, request_model), component_version) AS served_by,
  coalesce(args_hash, json_extract_string(tags, '$.query_id')) AS query,
  array_to_string(list_slice(document_ids, 1, 50), chr(31)) AS documents,
  array_to_string(list_slice(scores, 1, 50), ' ') AS scores,
  epoch_ms(time)::DOUBLE AS time_ms,
  candidates::DOUBLE AS candidates
FROM events
WHERE kind = 'rerank' AND len(scores) > 0
