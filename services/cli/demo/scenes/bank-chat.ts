import { defineScene } from '../scene.ts'

/** A chat behind a guardrail: one question in three is refused. */
export default defineScene({
  says: '09:15  the new input guardrail of bankly takes six seconds to refuse.',
  events: ({ chance, arrivals, isWrong, unique }) =>
    arrivals(14).flatMap((atMs) => {
      const chat = {
        tenant: 'bankly',
        trace_id: unique('chat'),
        route: 'chat',
        user: unique('user')
      }
      const isRefused = chance.is(0.3)
      const isSlow = isRefused && isWrong(atMs, 75)
      const guardMs = chance.around(isSlow ? 6000 : 250)
      const guard = {
        ...chat,
        atMs,
        kind: 'guardrail' as const,
        name: 'input-guard',
        component_version: isWrong(atMs, 75) ? '2.0.0' : '1.9.3',
        verdict: isRefused ? ('refuse' as const) : ('pass' as const),
        duration_ms: guardMs
      }
      const answer = {
        ...chat,
        atMs: atMs + guardMs,
        kind: 'llm' as const,
        provider: 'openai',
        request_model: 'gpt-4o-mini',
        response_model: 'gpt-4o-mini-2024-07-18',
        status: 200,
        refusal: isRefused,
        duration_ms: chance.around(isRefused ? 700 : 2000),
        tokens: { in_uncached: chance.around(900), out_text: chance.around(isRefused ? 30 : 260) }
      }
      return [guard, answer]
    })
})
