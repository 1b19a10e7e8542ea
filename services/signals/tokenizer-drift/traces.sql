-- One row per minute, series, side (in, out) and bin of the ratio reported to local: calls whose two
-- counts mean the same text. Tools, media, hidden reasoning and tool calls are left out, since their
-- tokens are in no text. Rows of side `limit` count calls by how near their local count came to the
-- context limit, whatever they carry, and their bin is that of limit to local count.
WITH llm AS NOT MATERIALIZED (
  SELECT
    time_bucket(INTERVAL 60 SECONDS, time) AS window_start,
    provider,
    coalesce(response_model, request_model) AS model,
    local_tokenizer AS tokenizer,
    script,
    -- Conversations are only counted, so that a hash stands for each.
    hash(coalesce(conversation_id, trace_id, id)) AS cluster,
    cost_pico::DOUBLE / nullif(coalesce(in_total, 0) + coalesce(out_total, 0), 0) AS token_pico,
    *
    EXCLUDE (provider, script)
  FROM events
  WHERE kind IN ('llm', 'embedding') AND coalesce(status, 200) < 400
),
sides AS (
  -- Counts below 20 say more of the few tokens that a chat format adds than of a tokenizer.
  SELECT window_start, provider, model, tokenizer, script, 'in' AS side, cluster, token_pico,
    local_in::DOUBLE AS l, in_total::DOUBLE AS r, in_total::DOUBLE / local_in AS ratio
  FROM llm
  WHERE local_in >= 20 AND in_total > 0 AND tools_hash IS NULL
    AND coalesce(in_image, 0) + coalesce(in_audio, 0) + coalesce(in_video, 0)
      + coalesce(in_tool_use, 0) + coalesce(in_cached_image, 0) + coalesce(in_cached_audio, 0) = 0
  UNION ALL
  SELECT window_start, provider, model, tokenizer, script, 'out' AS side, cluster, token_pico,
    local_out::DOUBLE, out_total::DOUBLE, out_total::DOUBLE / local_out
  FROM llm
  WHERE local_out >= 20 AND out_total > 0 AND coalesce(out_reasoning, 0) = 0
    AND coalesce(out_audio, 0) + coalesce(out_image, 0) = 0
    AND coalesce(stop_class, '') NOT IN ('tool', 'cancelled', 'error')
  UNION ALL
  SELECT window_start, provider, model, tokenizer, script, 'limit' AS side, cluster, NULL,
    local_in::DOUBLE, context_limit::DOUBLE, context_limit::DOUBLE / local_in
  FROM llm
  -- Text of no script takes more than eight times the tokens of another tokenizer.
  WHERE local_in > 0 AND context_limit > 0 AND context_limit < 8 * local_in
)
SELECT
  window_start,
  provider,
  model,
  tokenizer,
  script,
  side,
  greatest(-96, least(96, round(asinh(ln(ratio) / 0.02) * 16)))::DOUBLE AS ratio_bin,
  count(*)::DOUBLE AS n,
  count(DISTINCT cluster)::DOUBLE AS clusters,
  sum(l) AS l,
  sum(r) AS r,
  sum(l * l) AS ll,
  sum(r * r) AS rr,
  sum(l * r) AS lr,
  sum(token_pico * (r - l)) AS extra_pico
FROM sides
GROUP BY ALL
