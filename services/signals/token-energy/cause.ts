import { batchOf, joulesOf, workOf, type Deployment, type Sums } from './profile.ts'

/**
 * What the same work would take in other ways. The mix of deployments (tier) has a watch of its own,
 * since a few calls on a large model say much of the mix and nothing of batches. Within a mix, batch
 * and cache are put from before to after in both orders, and the mean effect of each on the logarithm
 * of energy is its share (the Shapley value of two). Lengths are those of after throughout, so longer
 * prompts are nobody's fault.
 */

export const MOVERS = ['tier', 'batch', 'cache'] as const
export type Mover = (typeof MOVERS)[number]

export const CAUSE_OF: Readonly<Record<Mover, string>> = {
  tier: 'tier-shift',
  batch: 'batch-collapse',
  cache: 'cache-loss'
}

export type Usual = { deployment: Deployment; usual: Sums }
export type Used = Usual & { recent: Sums }

export type Explanation = {
  /** Factor on energy by each. */
  factors: Record<Mover, number>
  /** Null when none of them explains it. */
  cause: Mover | null
}

/** The leading mover must explain this share of what was seen. */
const LEADING_SHARE = 0.5

/** Why the watch of a tenant's ways opened: its batches or its cache, on the deployments of now. */
export const explainWays = (used: readonly Used[], seen: number): Explanation => {
  const energy = (batch: Side, cache: Side): number =>
    used.reduce((sum, one) => {
      if (one.recent.n === 0) return sum
      const { input, out } = workOf(one.recent)
      const work = { input, out, cachedShare: workOf(known(one, cache)).cachedShare }
      return sum + one.recent.n * jouleSum(one.deployment, batchOf(known(one, batch)), work)
    }, 0)
  const [none, both] = [energy('usual', 'usual'), energy('recent', 'recent')]
  const [batch, cache] = [energy('recent', 'usual'), energy('usual', 'recent')]
  const factors = {
    tier: 1,
    batch: Math.sqrt((batch / none) * (both / cache)),
    cache: Math.sqrt((cache / none) * (both / batch))
  }
  const first = factors.batch >= factors.cache ? 'batch' : 'cache'
  const isLeading = Math.log(factors[first]) >= LEADING_SHARE * Math.log(Math.max(seen, 1))
  return { factors, cause: isLeading ? first : null }
}

type Side = 'usual' | 'recent'

/** A deployment that is new has only the ways of now. */
const known = (one: Used, side: Side): Sums => (one[side].n > 0 ? one[side] : one.recent)

const jouleSum = (...call: Parameters<typeof joulesOf>): number => {
  const { input, output } = joulesOf(...call)
  return input + output
}

/** Calls at which a deployment's own cached share weighs as much as the tenant's. */
const SHRINK_CALLS = 20

/** Share of the input that a tenant usually has cached, all deployments together. */
export const cachedShareOf = (used: readonly Usual[]): number => {
  let [cached, input] = [0, 0]
  for (const { usual } of used) {
    cached += usual.cached
    input += usual.cached + usual.uncached
  }
  return input > 0 ? cached / input : 0
}

/** The cached share of a deployment's usual work: a few calls all hit, or none, say little. */
const shrunkShare = (usual: Sums, overall: number): number =>
  (usual.n * workOf(usual).cachedShare + SHRINK_CALLS * overall) / (usual.n + SHRINK_CALLS)

/** Joules of calls on one deployment in its usual ways; null when it has none yet. */
export const usualWays = (
  { deployment, usual }: Usual,
  calls: Sums,
  overallShare: number
): number | null => {
  if (usual.n === 0) return null
  const work = { ...workOf(calls), cachedShare: shrunkShare(usual, overallShare) }
  return calls.n * jouleSum(deployment, batchOf(usual), work)
}

/** Joules of one call of given lengths on the usual mix, in its usual ways; null without one. */
export const usualMix = (
  used: readonly Usual[],
  lengths: { input: number; out: number },
  overallShare: number
): number | null => {
  const calls = used.reduce((sum, { usual }) => sum + usual.n, 0)
  if (calls === 0) return null
  return used.reduce((sum, { deployment, usual }) => {
    if (usual.n === 0) return sum
    const work = { ...lengths, cachedShare: shrunkShare(usual, overallShare) }
    return sum + (usual.n / calls) * jouleSum(deployment, batchOf(usual), work)
  }, 0)
}
