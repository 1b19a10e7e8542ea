import { defineScene } from '../scene.ts'

/** An assistant that looks into a knowledge base before it answers. */
export default defineScene({
  says: '09:25  the knowledge base of helpdesk begins to time out; its model and tools are as usual.',
  events: ({ chance, arrivals, isWrong, unique }) =>
    arrivals(12).flatMap((atMs) => {
      const trace = { tenant: 'helpdesk', trace_id: unique('trace'), route: 'assistant' }
      const [agent, search, answer] = [unique('span'), unique('span'), unique('span')]
      const isLost = chance.is(isWrong(atMs, 85) ? 0.5 : 0.004)
      const searchMs = isLost ? 30_000 : chance.around(300)
      const answerMs = chance.around(1800)
      const outcome = isLost ? { error_type: 'timeout' } : { status: 200 }
      return [
        {
          ...trace,
          atMs,
          kind: 'agent' as const,
          name: 'assistant',
          span_id: agent,
          duration_ms: searchMs + answerMs,
          ...(isLost ? { error_type: 'retrieval failed' } : { status: 200 })
        },
        {
          ...trace,
          atMs: atMs + 20,
          kind: 'retrieval' as const,
          name: 'kb-search',
          span_id: search,
          result_hash: isLost ? null : unique('result'),
          parent_span_id: agent,
          duration_ms: searchMs,
          ...outcome
        },
        {
          ...trace,
          atMs: atMs + 20 + searchMs,
          kind: 'llm' as const,
          span_id: answer,
          parent_span_id: agent,
          provider: 'openai',
          request_model: 'gpt-4o-mini',
          response_model: 'gpt-4o-mini-2024-07-18',
          status: 200,
          duration_ms: answerMs,
          ttft_ms: chance.around(400),
          tokens: { in_uncached: chance.around(2400), out_text: chance.around(220) }
        }
      ]
    })
})
