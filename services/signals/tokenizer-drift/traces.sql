-- One row per call with local counts, and what the provider reports beside them: null where the two
-- counts don't mean the same text. Tools, media, hidden reasoning and tool calls are left out, since
-- their tokens are in no text. `near_limit` is the context limit of a call whose local count came near
-- it, whatever the call carries.
SELECT
  time_bucket(INTERVAL 60 SECONDS, time) AS window_start,
  time,
  provider,
  coalesce(response_model, request_model) AS model,
  local_tokenizer AS tokenizer,
  script,
  coalesce(conversation_id, trace_id, id) AS conversation,
  cost_pico::DOUBLE / nullif(coalesce(in_total, 0) + coalesce(out_total, 0), 0) AS token_pico,
  local_in,
  local_out,
  -- Counts below 20 say more of the few tokens that a chat format adds than of a tokenizer.
  CASE
    WHEN local_in >= 20 AND in_total > 0 AND tools_hash IS NULL
      AND coalesce(in_image, 0) + coalesce(in_audio, 0) + coalesce(in_video, 0)
        + coalesce(in_tool_use, 0) + coalesce(in_cached_image, 0) + coalesce(in_cached_audio, 0) = 0
      THEN in_total
  END AS reported_in,
  CASE
    WHEN local_out >= 20 AND out_total > 0 AND coalesce(out_reasoning, 0) = 0
      AND coalesce(out_audio, 0) + coalesce(out_image, 0) = 0
      AND coalesce(stop_class, '') NOT IN ('tool', 'cancelled', 'error')
      THEN out_total
  END AS reported_out,
  -- Text of no script takes more than eight times the tokens of another tokenizer.
  CASE WHEN local_in > 0 AND context_limit > 0 AND context_limit < 8 * local_in THEN context_limit END
    AS near_limit
FROM events
WHERE
  kind IN ('llm', 'embedding') AND coalesce(status, 200) < 400
  AND (reported_in IS NOT NULL OR reported_out IS NOT NULL OR near_limit IS NOT NULL)
