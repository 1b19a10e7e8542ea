import type { Pool } from './pool.ts'
import { meanLongAgo, meanOver, RING_MINUTES, type Rates } from './tenant-ring.ts'

/**
 * Who pushed the others out of a shared cache, and who lost. A culprit puts in more tokens that
 * nobody had sent before (novel) and keeps more tokens alive (footprint) than before the change; a
 * victim's prompts were seen before, but are no longer served (re-missed).
 */

export type Share = { tenant: string; before: Rates; after: Rates; score: number }

export type Attribution = {
  /** All tenants of the pool, most suspect first. */
  ranking: Share[]
  victims: Share[]
  /** Lead of the first over the second, as a share of the first's score. */
  margin: number
  /** prefixes: by hash ladders; counts: by missed tokens alone, which names right less often. */
  basis: 'prefixes' | 'counts'
}

/** Minutes before the change that are compared with those after it. */
const BEFORE_MINUTES = 30
/** With fewer minutes before the change in the ring, the long mean stands in. */
const BEFORE_MINUTES_MIN = 10
/** Re-missed tokens must grow by this share of a tenant's input to call it a victim. */
export const VICTIM_SHARE_MIN = 0.05

export const attribute = (pool: Pool, startMinute: number, nowMinute: number): Attribution => {
  const shares = [...pool.tenants].map(([tenant, slot]) =>
    compare(pool, { tenant, slot }, startMinute, nowMinute)
  )
  const basis = pool.laddered ? 'prefixes' : 'counts'
  score(shares, basis)
  const ranking = shares.sort((a, b) => b.score - a.score || (a.tenant < b.tenant ? -1 : 1))
  const [first, second] = ranking
  const margin =
    first === undefined || first.score <= 0
      ? 0
      : Math.min(1, (first.score - (second?.score ?? 0)) / first.score)
  return { ranking, victims: pool.laddered ? findVictims(ranking) : [], margin, basis }
}

const compare = (
  pool: Pool,
  { tenant, slot }: { tenant: string; slot: number },
  start: number,
  now: number
): Share => {
  const ringStart = now - RING_MINUTES + 1
  const from = Math.max(ringStart, start - BEFORE_MINUTES, pool.firstMinute)
  const before =
    start - from >= BEFORE_MINUTES_MIN
      ? meanOver(pool.ring, slot, from, start)
      : meanLongAgo(pool.ring, slot)
  const after = meanOver(pool.ring, slot, Math.max(start, ringStart), now + 1)
  return { tenant, before, after, score: 0 }
}

const score = (shares: readonly Share[], basis: Attribution['basis']): void => {
  const growth =
    basis === 'prefixes'
      ? [novelGrowth, aliveGrowth]
      : [(share: Share) => missed(share.after) - missed(share.before)]
  for (const measure of growth) {
    const largest = Math.max(1e-9, ...shares.map((share) => Math.abs(measure(share))))
    for (const share of shares) share.score += measure(share) / largest
  }
}

export const novelGrowth = ({ before, after }: Share): number => after.novel - before.novel
const aliveGrowth = ({ before, after }: Share): number => after.alive - before.alive
const missed = ({ input, cached }: Rates): number => input - cached

const findVictims = ([, ...others]: readonly Share[]): Share[] =>
  others.filter((share) => lostShare(share) > VICTIM_SHARE_MIN)

/** Growth of re-missed tokens as a share of the input now. */
export const lostShare = ({ before, after }: Share): number =>
  after.input > 0 ? (after.remiss - before.remiss) / after.input : 0
