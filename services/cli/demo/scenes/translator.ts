import { defineScene } from '../scene.ts'

/** Translates into Japanese and counts the tokens itself, too. */
export default defineScene({
  says: '09:10  the provider of polyglot counts an eighth more tokens for the same Japanese text.',
  events: ({ chance, arrivals, isWrong, unique }) =>
    arrivals(10).map((atMs) => {
      const [local, out] = [chance.around(420), chance.around(380)]
      const more = isWrong(atMs, 70) ? 1.125 : 1
      return {
        atMs,
        tenant: 'polyglot',
        kind: 'llm' as const,
        provider: 'anthropic',
        request_model: 'claude-haiku-4-5',
        response_model: 'claude-haiku-4-5',
        route: 'translate',
        conversation_id: unique('text'),
        status: 200,
        script: 'Jpan',
        duration_ms: chance.around(2300),
        local: { tokenizer: 'claude@1', in: local, out },
        tokens: { in_uncached: Math.round(local * more), out_text: Math.round(out * more) }
      }
    })
})
