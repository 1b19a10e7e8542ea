import { batchOf, joulesOf, type Batch, type Deployment, type Sums } from './profile.ts'

/**
 * Which of three moved the energy of the same work: the mix of deployments (tier), how calls are
 * batched, or how much of the input the cache serves. Each is put from before to after in every
 * order, and its mean effect on the logarithm of energy is its share (the Shapley value, exact for
 * three). Lengths are those of after throughout, so longer prompts are nobody's fault.
 */

export const MOVERS = ['tier', 'batch', 'cache'] as const
export type Mover = (typeof MOVERS)[number]

export const CAUSE_OF: Readonly<Record<Mover, string>> = {
  tier: 'tier-shift',
  batch: 'batch-collapse',
  cache: 'cache-loss'
}

export type Used = { deployment: Deployment; usual: Sums; recent: Sums }

export type Explanation = {
  /** Factor on energy by each; their product is the change that the estimate explains. */
  factors: Record<Mover, number>
  /** Null when none of the three explains it. */
  cause: Mover | null
}

/** The leading mover must explain this share of what is explained, and of what was seen. */
const LEADING_SHARE = 0.5

/** @param seen factor on the energy of the same work that was found. */
export const explain = (used: readonly Used[], seen: number): Explanation => {
  const after = total(used, 'recent')
  const lengths = { input: (after.uncached + after.cached) / after.n, out: after.out / after.n }
  const energyOf = counterfactual(used, lengths)
  const factors = Object.fromEntries(
    MOVERS.map((mover) => [mover, Math.exp(shapley(mover, energyOf))])
  ) as Record<Mover, number>
  const [first] = MOVERS.toSorted((a, b) => factors[b] - factors[a])
  const lead = first === undefined ? 0 : Math.log(factors[first])
  const isLeading = lead >= LEADING_SHARE * Math.log(Math.max(seen, 1)) && lead > 0
  return { factors, cause: isLeading ? (first ?? null) : null }
}

type Moved = ReadonlySet<Mover>

/** Weights of coalitions of the other two in the Shapley value of three. */
const shapley = (mover: Mover, energyOf: (moved: Moved) => number): number => {
  const [one, other] = MOVERS.filter((name) => name !== mover) as [Mover, Mover]
  const gain = (...others: Mover[]): number =>
    Math.log(energyOf(new Set([...others, mover])) / energyOf(new Set(others)))
  return gain() / 3 + gain(one) / 6 + gain(other) / 6 + gain(one, other) / 3
}

const total = (used: readonly Used[], side: 'usual' | 'recent'): Sums => {
  const sum = { ...used[0]![side] }
  for (const { [side]: sums } of used.slice(1)) {
    for (const name of Object.keys(sum) as (keyof Sums)[]) sum[name] += sums[name]
  }
  return sum
}

export type Lengths = { input: number; out: number }

/** Joules of one call of given lengths as the tenant usually runs it. */
export const usualJoules = (used: readonly Used[], lengths: Lengths): number =>
  counterfactual(used, lengths)(new Set())

/** Joules of a call, with what is named in `moved` as after and the rest as before. */
const counterfactual = (used: readonly Used[], lengths: Lengths): ((moved: Moved) => number) => {
  const [before, after] = [total(used, 'usual'), total(used, 'recent')]
  const cachedShare = ({ cached, uncached }: Sums): number =>
    cached + uncached > 0 ? cached / (cached + uncached) : 0
  return (moved) => {
    const mix = moved.has('tier') ? 'recent' : 'usual'
    const calls = moved.has('tier') ? after.n : before.n
    const share = cachedShare(moved.has('cache') ? after : before)
    const side = moved.has('batch') ? 'recent' : 'usual'
    return used.reduce((sum, one) => {
      const weight = one[mix].n / calls
      if (weight === 0) return sum
      const batch = ownBatch(one, side, side === 'recent' ? after : before)
      const { input, output } = joulesOf(one.deployment, batch, { ...lengths, cachedShare: share })
      return sum + weight * (input + output)
    }, 0)
  }
}

/** A deployment that was idle on one side is batched as it was on the other. */
const ownBatch = (one: Used, side: 'usual' | 'recent', all: Sums): Batch => {
  if (one[side].n > 0) return batchOf(one[side])
  const other = one[side === 'usual' ? 'recent' : 'usual']
  return other.n > 0 ? batchOf(other) : batchOf(all)
}
