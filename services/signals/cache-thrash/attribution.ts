import { curveOf, usageAgainst, type UsageAt } from './gap-minutes.ts'
import { lostShare } from './lost-share.ts'
import { FILLING_MINUTES, type Pool } from './pool.ts'
import { suspects } from './suspicion.ts'
import { meanLongAgo, meanOver, RING_MINUTES, type Rates } from './tenant-ring.ts'

/**
 * Who pushed the others out of a shared cache, and who lost. A culprit puts in more tokens that
 * nobody had sent before (novel) and keeps more tokens alive (footprint) than before the change; a
 * victim is refused (re-missed) what the cache would have served before the change.
 */

export type Share = {
  tenant: string
  before: Rates
  after: Rates
  score: number
  /** Share of its input that was refused, though the cache would have served it before the change. */
  lost: number
  /** Whether the tenant came under suspicion. */
  suspect: boolean
  /** Whether that evidence leaves no doubt. */
  sure: boolean
}

export type Attribution = {
  /** All tenants of the pool, most suspect first. */
  ranking: Share[]
  victims: Share[]
  /** Who did it, when suspicion and size agree; two when they did it together; else nobody. */
  culprits: Share[]
  /** Lead of the first culprit over the next suspect, as a share of its score. */
  margin: number
  /** prefixes: by hash ladders; counts: by missed tokens alone, which names right less often. */
  basis: 'prefixes' | 'counts'
}

/** Minutes before the change that are compared with those after it. */
const BEFORE_MINUTES = 30
/** With fewer minutes before the change in the ring, the long mean stands in. */
const BEFORE_MINUTES_MIN = 10
/** Who loses more of its input than this is a victim: what makes an incident. */
export const VICTIM_SHARE_MIN = 0.05

/** Tenants under suspicion, and whether the evidence leaves no doubt. */
export type Suspected = ReadonlyMap<string, boolean>
const NOBODY: Suspected = new Map()

/**
 * Ranks a pool's tenants. Who was `named` for this change already stays under suspicion: what they are
 * measured by is soon from after the change, so that evidence once found is not found again.
 */
export const attribute = (
  pool: Pool,
  startMinute: number,
  nowMinute: number,
  named: Suspected = NOBODY
): Attribution => {
  const suspected = new Map(named)
  for (const { tenant, sure } of suspects(pool, nowMinute)) {
    suspected.set(tenant, sure || named.get(tenant) === true)
  }
  const spans = spansOf(pool, startMinute, nowMinute)
  const shares = [...pool.tenants].map(([tenant, slot]) => ({
    ...compare(pool, { tenant, slot }, spans),
    suspect: suspected.has(tenant),
    sure: suspected.get(tenant) ?? false
  }))
  const basis = pool.laddered ? 'prefixes' : 'counts'
  score(shares, basis)
  const ranking = shares.sort((a, b) => b.score - a.score || (a.tenant < b.tenant ? -1 : 1))
  const { culprits, margin } = choose(ranking, basis)
  const victims = pool.laddered ? findVictims(ranking, culprits) : []
  return { ranking, culprits, victims, margin, basis }
}

/** A suspect this close to the largest growth in the pool did it, too; a smaller one did not. */
export const MARGIN_MIN = 0.2

/** Without prefixes suspicion can't tell shape from volume: then size alone decides. */
const choose = (
  ranking: readonly Share[],
  basis: Attribution['basis']
): { culprits: Share[]; margin: number } => {
  const largest = ranking[0]?.score ?? 0
  if (largest <= 0) return { culprits: [], margin: 0 }
  const candidates = ranking.filter(
    ({ score: own, suspect }) =>
      own >= (1 - MARGIN_MIN) * largest && (basis === 'counts' || suspect)
  )
  const [first, second] = candidates
  if (first === undefined) return { culprits: [], margin: 0 }
  const margin = (first.score - Math.max(0, second?.score ?? 0)) / first.score
  if (second === undefined || margin >= MARGIN_MIN) return { culprits: [first], margin }
  return { culprits: basis === 'counts' ? [] : [first, second], margin }
}

/** What is compared: minutes before the change, if the ring holds enough of them, and since. */
type Spans = {
  before: Span | null
  after: Span
  usage: UsageAt
}
type Span = readonly [from: number, to: number]

const spansOf = (pool: Pool, start: number, now: number): Spans => {
  const ringStart = now - RING_MINUTES + 1
  const from = Math.max(ringStart, start - BEFORE_MINUTES, pool.firstMinute + FILLING_MINUTES)
  const enough = start - from >= BEFORE_MINUTES_MIN
  const usual = enough ? curveOf(pool.gapMinutes, from, start) : null
  return {
    before: enough ? [from, start] : null,
    after: [Math.max(start, ringStart), now + 1],
    usage: usageAgainst(pool, usual)
  }
}

const compare = (
  pool: Pool,
  { tenant, slot }: { tenant: string; slot: number },
  { before: span, after: since, usage }: Spans
): Omit<Share, 'suspect' | 'sure'> => {
  const before = span === null ? meanLongAgo(pool.ring, slot) : ratesIn(pool, slot, span, usage)
  const after = ratesIn(pool, slot, since, usage)
  const lost = lostShare({ slot, usage }, span, { before, after })
  return { tenant, before, after, lost, score: 0 }
}

/** Means per minute, with what is usual and what was refused of it read against one curve. */
const ratesIn = ({ ring }: Pool, slot: number, [from, to]: Span, usage: UsageAt): Rates => {
  const sum = { usual: 0, remiss: 0 }
  for (let minute = from; minute < to; minute++) {
    const read = usage(slot, minute)
    sum.usual += read.usual
    sum.remiss += read.remiss
  }
  const minutes = Math.max(1, to - from)
  return {
    ...meanOver(ring, slot, from, to),
    usual: sum.usual / minutes,
    remiss: sum.remiss / minutes
  }
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

/** A tenant's growth as a share of what the whole cache kept alive before. */
export const aliveGrowthShare = ({ ranking }: Attribution, tenant: string): number => {
  const all = ranking.reduce((sum, { before }) => sum + before.alive, 0)
  const own = ranking.find((share) => share.tenant === tenant)
  return own === undefined || all <= 0 ? 0 : aliveGrowth(own) / all
}
const missed = ({ input, cached }: Rates): number => input - cached

const findVictims = (ranking: readonly Share[], culprits: readonly Share[]): Share[] =>
  ranking.filter((share) => !culprits.includes(share) && share.lost > VICTIM_SHARE_MIN)
