import { defineScene, type SceneEvent } from '../scene.ts'

/** Attempts after which the client gives up. */
const ATTEMPTS_MAX = 5

/** Summarises documents; its client tries again when the provider is overloaded. */
export default defineScene({
  says: '09:30  the provider of archivist is overloaded: two calls in three are retries.',
  events: ({ chance, arrivals, isWrong, unique }) =>
    arrivals(7).flatMap((atMs) => {
      const operation = unique('operation')
      const attempts: SceneEvent[] = []
      for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
        const sentMs = atMs + 2000 * (2 ** (attempt - 1) - 1)
        const isRefused = chance.is(isWrong(sentMs, 90) ? 0.6 : 0.02)
        attempts.push({
          atMs: sentMs,
          tenant: 'archivist',
          kind: 'llm',
          provider: 'anthropic',
          request_model: 'claude-sonnet-4-5',
          response_model: 'claude-sonnet-4-5',
          route: 'summaries',
          operation_id: operation,
          attempt,
          status: isRefused ? 529 : 200,
          duration_ms: isRefused ? chance.around(200) : chance.around(5200),
          tokens: isRefused
            ? null
            : { in_uncached: chance.around(4000), out_text: chance.around(300) }
        })
        if (!isRefused) break
      }
      return attempts
    })
})
