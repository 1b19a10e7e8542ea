/** Seeded chance, so that two runs send the same bytes. */
export const seeded = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

const MODELS = [
  ['openai', 'chat', 'gpt-5.6-sol'],
  ['anthropic', 'messages', 'claude-sonnet-4-6'],
  ['gcp.gemini', 'generateContent', 'gemini-3.8-flash']
] as const
const TENANTS = 40

const usageOf = (provider: string, input: number, cached: number, output: number): object => {
  if (provider === 'anthropic') {
    return {
      input_tokens: input - cached,
      cache_creation_input_tokens: 0,
      cache_read_input_tokens: cached,
      output_tokens: output,
      service_tier: 'standard'
    }
  }
  if (provider === 'gcp.gemini') {
    return {
      promptTokenCount: input,
      cachedContentTokenCount: cached,
      candidatesTokenCount: output,
      totalTokenCount: input + output
    }
  }
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached },
    completion_tokens_details: { reasoning_tokens: Math.floor(output / 2) }
  }
}

/** A native event as an SDK sends it: 25 fields, the provider's block in it. */
export const nativeEvent = (serial: number, chance: () => number, nowMs: number): object => {
  const [provider, api, model] = MODELS[Math.floor(chance() * MODELS.length)] ?? MODELS[0]
  const input = 200 + Math.floor(chance() * 30_000)
  const output = 10 + Math.floor(chance() * 900)
  const duration = 300 + Math.floor(chance() * 4000)
  const digits = String(serial)
  return {
    id: `bench-${digits}`,
    source: 'sdk',
    time: new Date(nowMs).toISOString(),
    tenant: `tenant-${Math.floor(chance() * TENANTS)}`,
    project: 'checkout',
    team: 'search',
    user: `user-${Math.floor(chance() * 5000)}`,
    trace_id: digits.padStart(32, '0'),
    span_id: digits.padStart(16, '0'),
    operation_id: `op-${digits}`,
    attempt: 1,
    kind: 'llm',
    provider,
    api,
    request_model: model,
    response_model: model,
    service_tier: 'default',
    route: 'primary',
    emitter: 'sdk@1.4.0',
    duration_ms: duration,
    ttft_ms: Math.floor(duration / 4),
    status: 200,
    stop_reason: 'stop',
    usage: usageOf(provider, input, Math.floor(input * chance()), output),
    local: { tokenizer: 'o200k', in: input, out: output },
    script: 'Latn',
    system_prompt_hash: 'a1f3c9d2e4b5a697',
    tags: { feature: 'answer', site: 'eu' }
  }
}
