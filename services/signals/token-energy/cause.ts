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
      return sum + one.recent.n * jouleSum(one.deployment, batchIn(one, batch, hours), work)
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

/**
 * Joules of calls on their deployments and on the usual mix of them, each call of the tenant's usual
 * lengths in its deployment's usual ways: what some calls grow by is work, and moves no call.
 */
export const mixJoules = (
  used: readonly Usual[],
  calls: readonly { deployment: Deployment; sums: Sums }[],
  overallShare: number
): { spent: number; expected: number } | null => {
  const usual = used.reduce(
    (sum, { usual: { n, out, cached, uncached } }) => ({
      n: sum.n + n,
      out: sum.out + out,
      input: sum.input + cached + uncached
    }),
    { n: 0, out: 0, input: 0 }
  )
  if (usual.n === 0) return null
  const lengths = { input: usual.input / usual.n, out: usual.out / usual.n }
  const priceOf = (deployment: Deployment, own: Sums): number => {
    const share = own.n > 0 ? shrunkShare(own, overallShare) : overallShare
    return jouleSum(deployment, batchOf(own), { ...lengths, cachedShare: share })
  }
  let [mix, spent, n] = [0, 0, 0]
  for (const { deployment, usual: own } of used) {
    if (own.n > 0) mix += (own.n / usual.n) * priceOf(deployment, own)
  }
  for (const { deployment, sums } of calls) {
    const own = used.find((one) => one.deployment === deployment)?.usual
    // On what is new, the batch of now is the only one known.
    const known = own === undefined || own.n === 0 ? { ...sums, n: 0 } : own
    spent += sums.n * priceOf(deployment, known)
    n += sums.n
  }
  return { spent, expected: n * mix }
}
