import { defineScene, type SceneEvent } from '../scene.ts'

/** Attempts after which the app gives up. */
const ATTEMPTS_MAX = 4

/** Reads invoices into JSON and asks again where the answer misses the schema. */
export default defineScene({
  says: '09:20  ledgerly changes its prompt: answers miss the invoice schema, and are asked for again.',
  events: ({ chance, arrivals, isWrong, unique }) =>
    arrivals(8).flatMap((atMs) => {
      const missShare = isWrong(atMs, 80) ? 0.4 : 0.04
      const operation = unique('operation')
      const attempts: SceneEvent[] = []
      for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
        const isValid = !chance.is(missShare)
        attempts.push({
          atMs: atMs + (attempt - 1) * 4000,
          tenant: 'ledgerly',
          kind: 'llm',
          provider: 'openai',
          request_model: 'gpt-4o-2024-08-06',
          response_model: 'gpt-4o-2024-08-06',
          route: 'invoices',
          status: 200,
          duration_ms: chance.around(2800),
          operation_id: operation,
          attempt,
          output_schema: 'invoice',
          schema_valid: isValid,
          schema_error: isValid ? null : 'missing: total',
          prompt_version: isWrong(atMs, 80) ? 'invoice-8' : 'invoice-7',
          tokens: { in_uncached: chance.around(1500), out_text: chance.around(300) }
        })
        if (isValid) break
      }
      return attempts
    })
})
