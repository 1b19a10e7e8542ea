import { engineImporter } from '../../engine-counters.ts'

/** Counters of `vllm/v1/metrics/loggers.py`; hits of the prefix cache are counted in tokens. */
export default engineImporter({
  provider: 'vllm',
  prompt: ['prompt_tokens'],
  cached: ['prompt_tokens_cached', 'prefix_cache_hits'],
  generated: ['generation_tokens'],
  requests: ['request_success']
})
