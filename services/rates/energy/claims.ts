import { CACHED_SHARE } from './estimate-block.ts'
import { estimateEnergy, type EnergyRequest } from './estimate.ts'
import { FACTORS, type EnergyFactors } from './factors.ts'
import type { ReferenceRow } from './reference-rows.ts'

/**
 * Figures that are quoted about the energy of LLM calls, worked out again from the measured rows and
 * the fitted model, with the range in which they hold.
 */
export type Claims = {
  modelTier: TierClaim[]
  batch: BatchClaim[]
  cacheHit: CacheClaim[]
  cacheThrash: ThrashClaim
}

export type TierClaim = {
  gpu: string
  batch: number
  perTokenRatio: number
  perRequestRatio: number
  small: string
  large: string
}
export type BatchClaim = {
  from: number
  to: number
  configurations: number
  ratioMedian: number
  ratioP10: number
  ratioP90: number
}
export type CacheClaim = {
  input: number
  out: number
  hitShare: number
  /** Energy without a hit over energy with it, by the assumed cost of a cached token. */
  ratioByCachedShare: Record<string, number>
  verdict: string
}
export type ThrashClaim = {
  hitBefore: number
  hitAfter: number
  byCachedShare: Record<string, { joulesBefore: number; joulesAfter: number; ratio: number }>
}

// The claim is of tiers: the smallest and the largest dense model that one benchmark measured.
const SMALL = /llama-3\.1-8b-instruct/i
const LARGE = /llama-3\.1-405b-instruct-fp8/i
const TIER_BATCHES = [8, 32, 64, 128] as const
const BATCH_STEPS = [
  [8, 64],
  [16, 128],
  [8, 32]
] as const
// Measured mean batch counts as a target if it lies within a tenth of it.
const BATCH_TOLERANCE = 0.1

/** A 70B model on four H100 at batch 64: the serving case that the claims are made about. */
export const CLAIM_CASE: Omit<EnergyRequest, 'out'> = {
  model: 'meta-llama/Llama-3.1-70B-Instruct',
  gpu: 'H100',
  gpuCount: 4,
  precision: 'bf16',
  engineYear: 2025,
  concurrency: 64
}

const CACHE_CASES = [
  { input: 10_000, out: 50, hitShare: 0.98 },
  { input: 50_000, out: 100, hitShare: 0.98 },
  { input: 10_000, out: 300, hitShare: 0.9 },
  { input: 2000, out: 300, hitShare: 0.9 },
  { input: 500, out: 800, hitShare: 0.9 }
] as const
// What a broken prefix costs an agent with long prompts and short answers.
const THRASH = { input: 10_000, out: 300, hitBefore: 0.71, hitAfter: 0.18 }
/** Above this a hit is worth what is claimed for it. */
const HIT_RATIO_STRONG = 5

export const reproduceClaims = (
  rows: readonly ReferenceRow[],
  factors: EnergyFactors = FACTORS
): Claims => {
  const usable = rows.filter(({ anomalous }) => !anomalous)
  return {
    modelTier: ['H100', 'B200'].flatMap((gpu) => tierClaims(usable, gpu)),
    batch: BATCH_STEPS.map(([from, to]) => batchClaim(usable, from, to)),
    cacheHit: CACHE_CASES.map((example) => cacheClaim(example, factors)),
    cacheThrash: thrashClaim(factors)
  }
}

const near = (row: ReferenceRow, batch: number): boolean =>
  Math.abs(row.concurrency / batch - 1) < BATCH_TOLERANCE

const leastJoules = (rows: readonly ReferenceRow[]): ReferenceRow | undefined =>
  rows.toSorted((a, b) => a.joulesPerOutputToken - b.joulesPerOutputToken)[0]

const tierClaims = (rows: readonly ReferenceRow[], gpu: string): TierClaim[] =>
  TIER_BATCHES.flatMap((batch) => {
    const chat = rows.filter(
      (row) => row.gpu === gpu && row.source === 'mlenergy-v3' && near(row, batch)
    )
    const small = leastJoules(chat.filter(({ model }) => SMALL.test(model)))
    const large = leastJoules(chat.filter(({ model }) => LARGE.test(model)))
    if (small === undefined || large === undefined) return []
    const perTokenRatio = large.joulesPerOutputToken / small.joulesPerOutputToken
    const lengths = large.outputTokens / small.outputTokens
    return [
      {
        gpu,
        batch,
        perTokenRatio,
        perRequestRatio: perTokenRatio * lengths,
        small: small.model,
        large: large.model
      }
    ]
  })

const configurationOf = (row: ReferenceRow): string =>
  [row.source, row.engine, row.task, row.model, row.gpu, row.gpuCount, row.precision].join('|')

const batchClaim = (rows: readonly ReferenceRow[], from: number, to: number): BatchClaim => {
  const configurations = new Map<string, ReferenceRow[]>()
  for (const row of rows) {
    const key = configurationOf(row)
    configurations.set(key, [...(configurations.get(key) ?? []), row])
  }
  const ratios = [...configurations.values()].flatMap((group) => {
    const low = leastJoules(group.filter((row) => near(row, from)))
    const high = leastJoules(group.filter((row) => near(row, to)))
    return low === undefined || high === undefined
      ? []
      : [low.joulesPerOutputToken / high.joulesPerOutputToken]
  })
  const sorted = ratios.toSorted((a, b) => a - b)
  const at = (share: number): number =>
    sorted[Math.round((sorted.length - 1) * share)] ?? Number.NaN
  return {
    from,
    to,
    configurations: sorted.length,
    ratioMedian: at(0.5),
    ratioP10: at(0.1),
    ratioP90: at(0.9)
  }
}

/** Cost of a cached against an uncached token: cache load alone, the claims', list prices, measured. */
const CACHED_SHARES = [0.02, 0.05, 0.1, 0.37] as const
/** The share that the quoted figures rest on. */
export const CLAIMED_CACHED_SHARE = 0.05

type Prompt = { input: number; out: number; hitShare: number }

const joulesAt = (
  { input, out, hitShare }: Prompt,
  cachedShare: number,
  factors: EnergyFactors
): number => {
  const { parts } = estimateEnergy(
    {
      ...CLAIM_CASE,
      inUncached: input * (1 - hitShare),
      inCacheRead: input * hitShare,
      out
    },
    factors
  )
  return parts.prefill + parts.decode + parts.cached * (cachedShare / CACHED_SHARE)
}

const byCachedShare = <Value>(valueAt: (cachedShare: number) => Value): Record<string, Value> =>
  Object.fromEntries(CACHED_SHARES.map((share) => [String(share), valueAt(share)]))

const cacheClaim = (example: Prompt, factors: EnergyFactors): CacheClaim => {
  const ratioAt = (cachedShare: number): number =>
    joulesAt({ ...example, hitShare: 0 }, cachedShare, factors) /
    joulesAt(example, cachedShare, factors)
  return {
    ...example,
    ratioByCachedShare: byCachedShare(ratioAt),
    verdict:
      ratioAt(CLAIMED_CACHED_SHARE) >= HIT_RATIO_STRONG
        ? 'prefill dominates: a hit saves most of the call'
        : 'decoding dominates: a hit saves little of the call'
  }
}

const thrashClaim = (factors: EnergyFactors): ThrashClaim => ({
  hitBefore: THRASH.hitBefore,
  hitAfter: THRASH.hitAfter,
  byCachedShare: byCachedShare((cachedShare) => {
    const joulesBefore = joulesAt({ ...THRASH, hitShare: THRASH.hitBefore }, cachedShare, factors)
    const joulesAfter = joulesAt({ ...THRASH, hitShare: THRASH.hitAfter }, cachedShare, factors)
    return { joulesBefore, joulesAfter, ratio: joulesAfter / joulesBefore }
  })
})
