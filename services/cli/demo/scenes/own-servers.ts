import { defineScene } from '../scene.ts'

/** Calls of a model that runs on its own graphics cards, many together. */
export default defineScene({
  says: '       foundry runs a model on its own graphics cards; nothing goes wrong there.',
  events: ({ chance, arrivals }) =>
    arrivals(9).map((atMs) => ({
      atMs,
      tenant: 'foundry',
      kind: 'llm' as const,
      provider: 'vllm',
      request_model: 'Llama-3.1-8B-Instruct',
      response_model: 'Llama-3.1-8B-Instruct',
      route: 'tagging',
      host: 'gpu-1',
      gpu: 'H100',
      n_gpus: 1,
      concurrency: 64,
      status: 200,
      duration_ms: chance.around(2400),
      tokens: {
        in_uncached: chance.around(500),
        in_cache_read: chance.around(500),
        out_text: chance.around(300)
      }
    }))
})
