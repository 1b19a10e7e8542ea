/**
 * What each signal needs an event to tell, beyond tenant, time and kind: all of `needs`, without
 * which it is blind, and `gains`, with which it says more. By native field; `usage` stands for
 * every bucket that normalisation reads from it.
 */
export type SignalNeeds = { needs: readonly string[]; gains: readonly string[] }

export const SIGNAL_NEEDS: Readonly<Record<string, SignalNeeds>> = {
  'billing-drift': { needs: ['usage'], gains: ['local', 'response_id', 'provider_account'] },
  'blind-alerts': { needs: ['status'], gains: ['error_type', 'name'] },
  'cache-thrash': { needs: ['usage'], gains: ['prefix', 'cache_pool', 'cache_miss_reason'] },
  'diurnal-drift': { needs: ['duration_ms', 'status'], gains: ['score', 'schema_valid'] },
  'flight-gaps': { needs: ['trace_id', 'parent_span_id'], gains: ['system_prompt_hash'] },
  'refusal-latency': { needs: ['duration_ms', 'trace_id'], gains: ['verdict', 'ttft_ms'] },
  'reranker-drift': { needs: ['scores'], gains: ['document_ids', 'candidates'] },
  'retry-spend': { needs: ['usage', 'attempt'], gains: ['operation_id', 'error_type'] },
  'route-mix': { needs: ['request_model', 'response_model'], gains: ['route', 'user'] },
  'schema-retries': { needs: ['schema_valid', 'attempt'], gains: ['output_schema'] },
  'token-energy': { needs: ['usage', 'duration_ms'], gains: ['gpu', 'concurrency'] },
  'tokenizer-drift': { needs: ['usage', 'local'], gains: ['script'] },
  'tool-reentrancy': { needs: ['parent_span_id', 'name'], gains: ['args_hash'] }
}
