import { engineImporter } from '../../engine-counters.ts'

/** Counters of `sglang/srt/metrics/collector.py`. */
export default engineImporter({
  provider: 'sglang',
  prompt: ['prompt_tokens'],
  cached: ['cached_tokens'],
  generated: ['generation_tokens'],
  requests: ['num_requests']
})
