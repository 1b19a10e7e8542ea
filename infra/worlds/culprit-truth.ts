import { AFTER_MINUTES, calls, CHANGE_MINUTE, TENANTS, type CulpritWorld } from './culprit.ts'
import { replay, workingSetBlocks, type Served } from './prefix-cache.ts'

/** What really happened in a culprit world, by replaying the same arrivals without the shift. */
export type Truth = {
  served: Served[]
  culprits: readonly number[]
  /** Tenants other than the culprits that lost more than 5 points of hit rate to the shift. */
  victims: number[]
  /** Tokens that others lost, as a share of all tokens: an incident needs 5 %. */
  harm: number
}

/** A tenant that loses less of its tokens than this is no victim: the harm bar of an incident. */
const VICTIM_LOSS_MIN = 0.05

export const playWorld = (world: CulpritWorld): Truth => {
  const quiet = calls(world, false)
  const capacity = workingSetBlocks(quiet)
  const served = replay(world.culprits.length > 0 ? calls(world, true) : quiet, capacity)
  const with_ = hitRates(served)
  const without = hitRates(replay(quiet, capacity))
  const loss = Array.from(with_.rates, (rate, tenant) => without.rates[tenant]! - rate)
  const others = loss.map((_, tenant) => tenant).filter((t) => !world.culprits.includes(t))
  const lost = others.reduce((sum, t) => sum + Math.max(0, loss[t]!) * with_.input[t]!, 0)
  const all = with_.input.reduce((sum, tokens) => sum + tokens, 0)
  return {
    served,
    culprits: world.culprits,
    victims: others.filter((tenant) => loss[tenant]! > VICTIM_LOSS_MIN),
    harm: lost / Math.max(1, all)
  }
}

const hitRates = (served: readonly Served[]): { rates: Float64Array; input: Float64Array } => {
  const input = new Float64Array(TENANTS)
  const cached = new Float64Array(TENANTS)
  for (const call of served) {
    const minute = call.second / 60
    if (minute < CHANGE_MINUTE || minute >= CHANGE_MINUTE + AFTER_MINUTES) continue
    input[call.tenant]! += call.inputTokens
    cached[call.tenant]! += call.cachedTokens
  }
  return { rates: input.map((tokens, t) => (tokens > 0 ? cached[t]! / tokens : 0)), input }
}
