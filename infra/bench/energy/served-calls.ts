/** A small generator with a fixed seed (Park and Miller). */
const generator = (seed: number) => {
  let state = seed
  return (top: number): number => {
    state = (state * 48271) % 2147483647
    return state % top
  }
}

const START_MS = Date.parse('2026-03-01T10:00:00Z')
const HOUR_MS = 3_600_000
const MODELS = [
  'meta-llama/Llama-3.1-8B-Instruct',
  'meta-llama/Llama-3.1-70B-Instruct',
  'Qwen/Qwen3-235B-A22B-Instruct-2507-FP8',
  'gpt-4o-2024-08-06',
  'claude-sonnet-4-5'
] as const
/** The first so many are served on hosts of one's own. */
const OWN_MODELS = 3

const ROUTES = 6
/** Half a million calls an hour come from fifty tenants. */
const CALLS_PER_TENANT = 10_000

/**
 * Calls of one hour, as a gateway tells them: three of five on hosts that are known. They make six to
 * a window, as the race has it: windows of one call each would land and settle slowly and hide what
 * energy adds.
 */
export const servedCalls = (count: number): object[] => {
  const random = generator(17)
  const tenants = Math.max(1, Math.round(count / CALLS_PER_TENANT))
  return Array.from({ length: count }, (_, index) => {
    const model = random(MODELS.length)
    const out = 20 + random(800)
    const ttft_ms = 80 + random(900)
    const own = { host: `node-${random(8)}`, gpu: 'H100', n_gpus: 4, precision: 'fp8' }
    return {
      id: `call-${index}`,
      source: 'gateway',
      time: new Date(START_MS + random(HOUR_MS)).toISOString(),
      tenant: `tenant-${random(tenants)}`,
      project: `project-${random(20)}`,
      user: `user-${random(5000)}`,
      kind: 'llm',
      provider: model < OWN_MODELS ? 'vllm' : 'openai',
      api: 'chat',
      request_model: MODELS[model],
      response_model: MODELS[model],
      route: `route-${random(ROUTES)}`,
      region: 'eu-central-1',
      trace_id: `trace-${random(count)}`,
      span_id: `span-${index}`,
      request_id: `request-${index}`,
      duration_ms: ttft_ms + out * (8 + random(20)),
      ttft_ms,
      status: random(50) === 0 ? 500 : 200,
      stop_reason: 'stop',
      prefix: { hash: `prefix-${random(60)}` },
      tokens: { in_uncached: random(4000), in_cache_read: random(8000), out_text: out },
      ...(model < OWN_MODELS ? own : {})
    }
  })
}
