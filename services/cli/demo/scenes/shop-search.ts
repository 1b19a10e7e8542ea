import { defineScene } from '../scene.ts'

/** What the provider charges, USD a token: claude-sonnet-4-5 in March 2026. */
const USD = { input: 3e-6, cachedInput: 0.3e-6, output: 15e-6 }
/** Digits of the provider's statement. */
const USD_DIGITS = 10

/** Calls whose gateway passes on what the provider says that they cost. */
export default defineScene({
  says: '09:30  the gateway of shoply begins to record cached input as input; the provider charges right.',
  events: ({ chance, arrivals, isWrong }) =>
    arrivals(10).map((atMs) => {
      const [fresh, cached, out] = [chance.around(500), chance.around(11_000), chance.around(150)]
      const lost = isWrong(atMs, 90) ? Math.round(0.2 * cached) : 0
      const usd = fresh * USD.input + cached * USD.cachedInput + out * USD.output
      return {
        atMs,
        tenant: 'shoply',
        kind: 'llm' as const,
        provider: 'anthropic',
        request_model: 'claude-sonnet-4-5',
        response_model: 'claude-sonnet-4-5',
        route: 'search',
        emitter: lost > 0 ? 'gateway/1.5' : 'gateway/1.4',
        status: 200,
        duration_ms: chance.around(2600),
        tokens: { in_uncached: fresh + lost, in_cache_read: cached - lost, out_text: out },
        cost_reported_usd: usd.toFixed(USD_DIGITS)
      }
    })
})
