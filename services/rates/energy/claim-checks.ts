import { CLAIMED_CACHED_SHARE, type Claims } from './claims.ts'

/** A quoted figure beside what data or model give, and the range over all the cases looked at. */
export type ClaimCheck = {
  claim: string
  basis: 'measured' | 'model'
  expected: number
  /** In the case that the claim is about. */
  seen: number
  low: number
  high: number
  /** Whether `seen` lies within `CLAIM_TOLERANCE` of what is expected. */
  holds: boolean
}

/** Quoted figures are round: nearer than this, nobody would have said another one. */
export const CLAIM_TOLERANCE = 0.15

type Seen = Pick<ClaimCheck, 'claim' | 'basis' | 'expected'> & {
  /** Of the case that the claim is about. */
  at: number | undefined
  all: readonly number[]
}

export const checkClaims = ({ modelTier, batch, cacheHit, cacheThrash }: Claims): ClaimCheck[] => {
  const share = String(CLAIMED_CACHED_SHARE)
  const tiers = modelTier.map(({ perTokenRatio }) => perTokenRatio)
  const full = batch.find(({ from, to }) => from === 8 && to === 64)
  const hits = cacheHit.map(({ ratioByCachedShare }) => ratioByCachedShare[share] ?? Number.NaN)
  const thrash = Object.values(cacheThrash.byCachedShare).map(({ ratio }) => ratio)
  const found: Seen[] = [
    {
      claim: 'model tier, 405B against 8B, joules per token at one batch',
      basis: 'measured',
      expected: 30,
      at: modelTier.find(({ gpu, batch: size }) => gpu === 'H100' && size === 32)?.perTokenRatio,
      all: tiers
    },
    {
      claim: 'batch 8 to 64, joules per token',
      basis: 'measured',
      expected: 4,
      at: full?.ratioMedian,
      all: full === undefined ? [] : [full.ratioP10, full.ratioP90]
    },
    {
      claim:
        'cache hit, a long prompt and a short answer; the least: a short prompt and a long answer',
      basis: 'model',
      expected: 10,
      at: Math.max(...hits),
      all: hits
    },
    {
      claim: 'cache hits fall from 71 to 18 %',
      basis: 'model',
      expected: 1.85,
      at: cacheThrash.byCachedShare[share]?.ratio,
      all: thrash
    }
  ]
  return found.map(({ at = Number.NaN, all, ...claim }) => ({
    ...claim,
    seen: at,
    low: Math.min(...all),
    high: Math.max(...all),
    holds: Math.abs(at / claim.expected - 1) <= CLAIM_TOLERANCE
  }))
}
