import { defineScene, type SceneEvent } from '../scene.ts'

/** Steps of a run that ends as it should, and of one that doesn't. */
const STEPS = 4
const STEPS_STUCK = 24

/** An agent that books travel: it thinks, calls a tool, and thinks again. */
export default defineScene({
  says: '09:35  an agent of travelo books with arguments that are refused, again and again.',
  events: ({ chance, arrivals, isWrong, unique }) => {
    let stuckRuns = 0
    return arrivals(60).flatMap((atMs) => {
      const isStuck = isWrong(atMs, 95) && stuckRuns++ < 2
      const run = { tenant: 'travelo', trace_id: unique('run'), route: 'booking' }
      const agent = unique('span')
      const steps: SceneEvent[] = []
      let nowMs = atMs
      for (let step = 0; step < (isStuck ? STEPS_STUCK : STEPS); step++) {
        const thinkMs = chance.around(2500)
        const toolMs = chance.around(700)
        const tool = step === 0 || !isStuck ? ['search', unique('args')] : ['book', 'seat-14f']
        steps.push(
          {
            ...run,
            atMs: nowMs,
            kind: 'llm',
            span_id: unique('span'),
            parent_span_id: agent,
            provider: 'openai',
            request_model: 'gpt-4o-2024-08-06',
            response_model: 'gpt-4o-2024-08-06',
            status: 200,
            duration_ms: thinkMs,
            tokens: { in_uncached: chance.around(3000) + 600 * step, out_text: chance.around(120) }
          },
          {
            ...run,
            atMs: nowMs + thinkMs,
            kind: 'tool',
            name: tool[0],
            span_id: unique('span'),
            parent_span_id: agent,
            duration_ms: toolMs,
            args_hash: tool[1],
            result_hash: tool[0] === 'book' ? 'refused' : unique('result'),
            status: 200
          }
        )
        nowMs += thinkMs + toolMs
      }
      const whole: SceneEvent = {
        ...run,
        atMs,
        kind: 'agent',
        name: 'booker',
        span_id: agent,
        duration_ms: nowMs - atMs,
        status: 200
      }
      return [whole, ...steps]
    })
  }
})
