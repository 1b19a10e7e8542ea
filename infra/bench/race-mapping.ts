import type { ForeignFormat } from '../../services/consume/decode/messages.ts'

/**
 * How the peers' sample event fills ours. Tenant, model and route are the windows' dimensions, as
 * in every peer. Its other labels are drawn at random, event by event; as dimensions they would
 * make every event a window of its own, so they land in columns of `events_raw` that no window
 * groups by. Nothing but the free-form tags, two flags and the energy figure is left out.
 */
export const RACE_COLUMNS: ForeignFormat['columns'] = {
  id: 'event_id',
  time: 'occurred_at',
  tenant: 'tenant_id',
  project: 'project_id',
  team: 'environment',
  user: 'region',
  provider_account: 'provider',
  prompt_version: 'request_model',
  response_model: 'response_model',
  tools_hash: 'operation',
  route: 'route',
  trace_id: 'trace_id',
  span_id: 'span_id',
  attempt: 'attempt',
  in_total: 'input_tokens',
  local_in: 'local_input_tokens',
  in_cache_read: 'cache_read_tokens',
  in_cache_write_unk: 'cache_write_tokens',
  out_total: 'output_tokens',
  out_reasoning: 'reasoning_tokens',
  cost_pico: 'cost_pico',
  judge: 'currency',
  ttft_ms: 'ttft_ms',
  duration_ms: 'latency_ms',
  status: 'status',
  stop_reason: 'finish_reason',
  content_ref: 'prompt_hash',
  temperature: 'temperature'
}

/** Bytes of the single-object encoding in front of each record. */
export const PREFIX_BYTES = 10

export const RACE_FIXED: ForeignFormat['fixed'] = { kind: 'llm' }
