import { batchOf, joulesOf, workOf, type Batch, type Deployment, type Sums } from './profile.ts'

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

/** What leads, or both together, must explain this share of what was seen. */
const LEADING_SHARE = 0.5

/** Of those hours against the whole day: concurrency over, and time between tokens times. */
export type HourFactors = { perBatch: number; interToken: number }

/** Why the watch of a tenant's ways opened: its batches or its cache, on the deployments of now. */
export const explainWays = (
  used: readonly Used[],
  seen: number,
  hours: HourFactors
): Explanation => {
  const energy = (batch: Side, cache: Side): number =>
    used.reduce((sum, one) => {
      if (one.recent.n === 0) return sum
      const { input, out } = workOf(one.recent)
      const work = { input, out, cachedShare: workOf(known(one, cache)).cachedShare }
      return sum + one.recent.n * joulesOf(one.deployment, batchIn(one, batch, hours), work)
    }, 0)
  const [none, both] = [energy('usual', 'usual'), energy('recent', 'recent')]
  const [batch, cache] = [energy('recent', 'usual'), energy('usual', 'recent')]
  const factors = {
    tier: 1,
    batch: Math.sqrt((batch / none) * (both / cache)),
    cache: Math.sqrt((cache / none) * (both / batch))
  }
  const first = factors.batch >= factors.cache ? 'batch' : 'cache'
  const explained = Math.log(Math.max(factors[first], factors.batch * factors.cache))
  const isLeading = factors[first] > 1 && explained >= LEADING_SHARE * Math.log(Math.max(seen, 1))
  return { factors, cause: isLeading ? first : null }
}

/** The usual batch is that of a whole day: at these hours it is usually another. */
const batchIn = (one: Used, side: Side, { perBatch, interToken }: HourFactors): Batch => {
  const sums = known(one, side)
  const batch = batchOf(sums)
  if (sums !== one.usual) return batch
  return {
    concurrency: batch.concurrency === null ? null : batch.concurrency / perBatch,
    interTokenMs: batch.interTokenMs === null ? null : batch.interTokenMs * interToken
  }
}

type Side = 'usual' | 'recent'

/** A deployment that is new has only the ways of now. */
const known = (one: Used, side: Side): Sums => (one[side].n > 0 ? one[side] : one.recent)
