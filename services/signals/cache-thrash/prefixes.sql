-- One row per minute, tenant, cache pool, serving model and prompt prefix (hash ladder): events,
-- input tokens and how many of them the cache served. Novelty is worked out in the fold.
SELECT
  window_start,
  tenant,
  provider,
  cache_pool,
  array_to_string(blocks, chr(31)) AS ladder,
  cache_miss_reason,
  max(block_tokens)::DOUBLE AS block_tokens,
  sum(n)::DOUBLE AS n,
  sum(in_total)::DOUBLE AS in_total,
  sum(in_cache_read)::DOUBLE AS in_cache_read,
  min(first_ms)::DOUBLE AS first_ms,
  max(last_ms)::DOUBLE AS last_ms
FROM prefixes
GROUP BY ALL
