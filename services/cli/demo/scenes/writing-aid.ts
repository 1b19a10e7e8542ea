import { defineScene } from '../scene.ts'

/** Asks a router for `smart` and takes what it gives. */
export default defineScene({
  says: '09:20  the router of quill gives half of what asks for smart to a smaller model.',
  events: ({ chance, arrivals, isWrong, unique }) =>
    arrivals(9).map((atMs) => {
      const isSmall = chance.is(isWrong(atMs, 80) ? 0.5 : 0.01)
      return {
        atMs,
        tenant: 'quill',
        kind: 'llm' as const,
        provider: 'anthropic',
        request_model: 'smart',
        response_model: isSmall ? 'claude-haiku-4-5' : 'claude-sonnet-4-5',
        route: 'drafts',
        conversation_id: unique('conversation'),
        status: 200,
        duration_ms: chance.around(isSmall ? 1500 : 4200),
        schema_valid: !chance.is(isSmall ? 0.3 : 0.02),
        tokens: { in_uncached: chance.around(2000), out_text: chance.around(400) }
      }
    })
})
