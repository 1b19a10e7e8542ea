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
/** A miscount is shared by the bill's tokens; this part of it may land in the wrong cell. */
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
    const whole = gaps.total >= 0 ? 'unseen_calls' : 'unbilled_calls'
    for (const working of peers) {
      const { tier, ttl, rest } = gaps.split(working, isMoved)
      add(working, day.miscountCause(name), gaps.miscountOf(working))
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
  readonly #billed: number

  constructor(peers: readonly Working[], name: TokenClass, day: DayGap) {
    this.#peers = peers
    this.#miscount = day.miscount[name]
    this.#billed = sumOf(peers, ({ billed }) => billed ?? 0)
    this.total = sumOf(peers, (working) => this.of(working))
  }

  of(working: Working): number {
    const gap = gapIn(working) - this.miscountOf(working)
    return Math.abs(gap) < HALF_TOKEN ? 0 : gap
  }

  /** A cell's part of what is counted differently: the bill counts where it puts the call. */
  miscountOf(working: Working): number {
    const share = this.#billed > 0 ? (working.billed ?? 0) / this.#billed : this.shareOf(working)
    return this.#miscount * share
  }

  /** Part of the class that stands in a cell on our side. */
  shareOf(working: Working): number {
    return shareIn(this.#peers, working)
  }

  /**
   * A cell's gap as calls in another tier, writes at another time to live, and whole calls: what
   * moves between tiers leaves the sum of a meter, what moves between meters that of a tier.
   */
  split(working: Working, isMoved: boolean): { tier: number; ttl: number; rest: number } {
    const gap = this.of(working)
    const isExchanged = this.#isExchanged(working, isMoved)
    if (isMoved && isExchanged) {
      const rest = this.total * this.shareOf(working)
      const ttl = this.#exchanged(working) * this.#tierOnBill(working)
      return { tier: gap - ttl - rest, ttl, rest }
    }
    const { tier, meter } = working.cell
    if (isMoved) {
      const rest = this.#within(working, ({ cell }) => cell.meter === meter)
      return { tier: gap - rest, ttl: 0, rest }
    }
    if (!isExchanged) return { tier: 0, ttl: 0, rest: gap }
    const rest = this.#within(working, ({ cell }) => cell.tier === tier)
    return { tier: 0, ttl: gap - rest, rest }
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

  /** Times to live were exchanged: within a tier where none moved, else over all of them. */
  #isExchanged({ cell }: Working, isMoved: boolean): boolean {
    const own = this.#peers.filter((peer) => peer.cell.tier === cell.tier)
    if (own.length < 2) return false
    return isMoved
      ? this.isOpposedOver(({ meter }) => meter)
      : this.#isOpposed(own.map((peer) => this.of(peer)))
  }

  /** A cell's share of the gap of the cells like it. */
  #within(working: Working, isLike: (peer: Working) => boolean): number {
    const peers = this.#peers.filter(isLike)
    return sumOf(peers, (peer) => this.of(peer)) * shareIn(peers, working)
  }

  /** What a meter has more than its share of the class's gap. */
  #exchanged({ cell }: Working): number {
    const peers = this.#peers.filter((peer) => peer.cell.meter === cell.meter)
    return sumOf(peers, (peer) => this.of(peer) - this.total * this.shareOf(peer))
  }

  /** Part of the class that stands in the tier on the bill. */
  #tierOnBill({ cell }: Working): number {
    const peers = this.#peers.filter((peer) => peer.cell.tier === cell.tier)
    const own = sumOf(peers, ({ billed }) => billed ?? 0)
    return this.#billed > 0 ? own / this.#billed : sumOf(peers, (peer) => this.shareOf(peer))
  }
}

const sumOf = (workings: readonly Working[], of: (working: Working) => number): number =>
  workings.reduce((sum, working) => sum + of(working), 0)

/** A cell's part of the tokens of some, on our side. */
const shareIn = (peers: readonly Working[], { tokens }: Working): number => {
  const all = sumOf(peers, (peer) => peer.tokens)
  return all === 0 ? 1 / peers.length : tokens / all
}
