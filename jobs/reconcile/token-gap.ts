import type { Sums } from './call-statistics.ts'
import { addPart } from './cells.ts'
import type { Cause } from './causes.ts'
import type { DayResult } from './miscount.ts'
import { classOf, groupBy, valueOf, type TokenClass, type Working } from './working.ts'

/**
 * The tokens of one model and day that the bill has more or fewer of than we. Whole calls missing
 * on one side move every class; a class counted differently moves alone; calls put in another tier
 * or time to live leave the sum of a class as it was.
 */

/** Shares of whole tokens leave crumbs. */
const HALF_TOKEN = 0.5
/** A miscount is shared by our tokens; this part of it may land in the wrong cell. */
const MISCOUNT_CRUMBS = 0.1

/** Differences within the rounding of the bill are none. */
export const gapIn = ({ billed, tokens, slack }: Working): number => {
  const gap = (billed ?? 0) - tokens
  return Math.abs(gap) <= slack ? 0 : gap
}

export const sumByClass = (
  workings: readonly Working[],
  of: (working: Working) => number
): Sums => {
  const sums = { in: 0, read: 0, write: 0, out: 0 }
  for (const working of workings) sums[classOf(working.cell.meter)] += of(working)
  return sums
}

export type DayGap = DayResult & {
  miscountCause: (name: TokenClass) => Cause
}

/** Assigns the token differences of one model and day. */
export const assignTokens = (workings: readonly Working[], day: DayGap): void => {
  const tierCause = workings.some(({ cell }) => cell.tier === 'batch')
    ? 'misclassified_batch'
    : 'misclassified_tier'
  for (const [name, peers] of groupBy(workings, ({ cell }) => classOf(cell.meter))) {
    const gaps = new ClassGaps(peers, name, day)
    const isMoved = tiersOppose(workings, day)
    for (const working of peers) {
      const miscount = day.miscount[name] * gaps.shareOf(working)
      const tier = isMoved ? gaps.tierShift(working) : 0
      const ttl = gaps.ttlShift(working, isMoved)
      const rest = gaps.of(working) - tier - ttl
      const whole = gaps.total >= 0 ? 'unseen_calls' : 'unbilled_calls'
      add(working, day.miscountCause(name), miscount)
      add(working, 'misclassified_cache_ttl', ttl)
      add(working, tierCause, tier)
      add(working, whole, rest)
    }
  }
}

const add = (working: Working, cause: Cause, tokens: number): void =>
  addPart(working.cell, cause, valueOf(working.price, tokens))

/** Calls went from one tier to another: missing calls alone would leave no tier with fewer. */
const tiersOppose = (workings: readonly Working[], day: DayGap): boolean =>
  [...groupBy(workings, ({ cell }) => classOf(cell.meter))].some(([name, peers]) =>
    new ClassGaps(peers, name, day).isOpposedOver(({ tier }) => tier)
  )

/** The gaps of one token class, without what is counted differently, over tiers and times to live. */
class ClassGaps {
  readonly total: number
  readonly #peers: readonly Working[]
  readonly #miscount: number
  readonly #tokens: number

  constructor(peers: readonly Working[], name: TokenClass, day: DayGap) {
    this.#peers = peers
    this.#miscount = day.miscount[name]
    this.#tokens = peers.reduce((sum, { tokens }) => sum + tokens, 0)
    this.total = peers.reduce((sum, working) => sum + this.of(working), 0)
  }

  of(working: Working): number {
    const gap = gapIn(working) - this.#miscount * this.shareOf(working)
    return Math.abs(gap) < HALF_TOKEN ? 0 : gap
  }

  /** Part of the class that stands in a cell on our side. */
  shareOf(working: Working): number {
    return this.#tokens === 0 ? 1 / this.#peers.length : working.tokens / this.#tokens
  }

  /** What a cell has more than its share of the class's gap; sums to nothing. */
  deviation(working: Working): number {
    return this.of(working) - this.total * this.shareOf(working)
  }

  /** A cell's part of what its tier has more than its share. */
  tierShift(working: Working): number {
    const own = this.#sameTier(working)
    const shift = own.reduce((sum, peer) => sum + this.deviation(peer), 0)
    return shift * this.#shareInTier(working, own)
  }

  /** What a cell has more than its share of its tier, when times to live were exchanged. */
  ttlShift(working: Working, isMoved: boolean): number {
    const own = this.#sameTier(working)
    if (own.length < 2) return 0
    const isExchanged =
      this.#isOpposed(own.map((peer) => this.of(peer))) ||
      (isMoved && this.isOpposedOver(({ meter }) => meter))
    return isExchanged ? this.deviation(working) - this.tierShift(working) : 0
  }

  /** Whether the gaps of the class, summed by some part of the cell, have both signs. */
  isOpposedOver(part: (cell: Working['cell']) => string | null): boolean {
    const sums = [...groupBy(this.#peers, ({ cell }) => part(cell)).values()].map((own) =>
      own.reduce((sum, peer) => sum + this.of(peer), 0)
    )
    return this.#isOpposed(sums)
  }

  #isOpposed(gaps: readonly number[]): boolean {
    const least = Math.max(HALF_TOKEN, MISCOUNT_CRUMBS * Math.abs(this.#miscount))
    return gaps.some((gap) => gap > least) && gaps.some((gap) => gap < -least)
  }

  #sameTier(working: Working): Working[] {
    return this.#peers.filter(({ cell }) => cell.tier === working.cell.tier)
  }

  #shareInTier(working: Working, own: readonly Working[]): number {
    const tokens = own.reduce((sum, peer) => sum + peer.tokens, 0)
    return tokens === 0 ? 1 / own.length : working.tokens / tokens
  }
}
