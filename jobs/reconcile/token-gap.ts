import type { CallStatistics, Sums } from './call-statistics.ts'
import { addPart } from './cells.ts'
import type { Cause } from './causes.ts'
import type { DayResult } from './miscount.ts'
import { classOf, groupBy, valueOf, type TokenClass, type Working } from './working.ts'

/**
 * The tokens of one model and day that the bill has more or fewer of than we. Whole calls missing
 * on one side move every class; a class counted differently moves alone; calls put in another tier
 * or time to live leave the sum of a class as it was.
 */

/** A shift between tiers beyond this many standard errors of what missing calls do is real. */
const SIGMAS = 4

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
  statistics: CallStatistics
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
      const ttl = gaps.ttlShift(working)
      const rest = gaps.of(working) - tier - ttl - miscount
      const whole = gaps.total - day.miscount[name] >= 0 ? 'unseen_calls' : 'unbilled_calls'
      add(working, day.miscountCause(name), miscount)
      add(working, 'misclassified_cache_ttl', ttl)
      add(working, tierCause, tier)
      add(working, whole, rest)
    }
  }
}

const add = (working: Working, cause: Cause, tokens: number): void =>
  addPart(working.cell, cause, valueOf(working.price, tokens))

/** Calls went from one tier to another, beyond what missing calls do by chance. */
const tiersOppose = (workings: readonly Working[], day: DayGap): boolean =>
  [...groupBy(workings, ({ cell }) => classOf(cell.meter))].some(([name, peers]) => {
    const gaps = new ClassGaps(peers, name, day)
    const tiers = [...groupBy(peers, ({ cell }) => cell.tier).values()]
    const sums = tiers.map((own) => own.reduce((sum, working) => sum + gaps.of(working), 0))
    const shifts = tiers.map((own) =>
      own.reduce((sum, working) => sum + gaps.deviation(working), 0)
    )
    return gaps.isOpposed(sums, shifts)
  })

/** The gaps of one token class over tiers and times to live. */
class ClassGaps {
  readonly total: number
  readonly #peers: readonly Working[]
  readonly #name: TokenClass
  readonly #day: DayGap
  readonly #tokens: number

  constructor(peers: readonly Working[], name: TokenClass, day: DayGap) {
    this.#peers = peers
    this.#name = name
    this.#day = day
    this.#tokens = peers.reduce((sum, { tokens }) => sum + tokens, 0)
    this.total = peers.reduce((sum, working) => sum + gapIn(working), 0)
  }

  of(working: Working): number {
    return gapIn(working)
  }

  /** Part of the class that stands in a cell on our side. */
  shareOf(working: Working): number {
    return this.#tokens === 0 ? 1 / this.#peers.length : working.tokens / this.#tokens
  }

  /** What a cell has more than its share of the class's gap; sums to nothing. */
  deviation(working: Working): number {
    return gapIn(working) - this.total * this.shareOf(working)
  }

  /** A cell's part of what its tier has more than its share. */
  tierShift(working: Working): number {
    const own = this.#sameTier(working)
    const shift = own.reduce((sum, peer) => sum + this.deviation(peer), 0)
    return shift * this.#shareInTier(working, own)
  }

  /** What a cell has more than its share of its tier. */
  ttlShift(working: Working): number {
    const own = this.#sameTier(working)
    const gaps = own.map((peer) => gapIn(peer))
    const shifts = own.map((peer) => this.deviation(peer))
    if (own.length < 2 || !this.isOpposed(gaps, shifts)) return 0
    return this.deviation(working) - this.tierShift(working)
  }

  isOpposed(gaps: readonly number[], shifts: readonly number[]): boolean {
    const opposed = gaps.some((gap) => gap > 0) && gaps.some((gap) => gap < 0)
    return opposed && Math.max(...shifts.map(Math.abs)) > SIGMAS * this.#chance()
  }

  #sameTier(working: Working): Working[] {
    return this.#peers.filter(({ cell }) => cell.tier === working.cell.tier)
  }

  #shareInTier(working: Working, own: readonly Working[]): number {
    const tokens = own.reduce((sum, peer) => sum + peer.tokens, 0)
    return tokens === 0 ? 1 / own.length : working.tokens / tokens
  }

  /** Standard error of how missing calls fall on tiers and times to live. */
  #chance(): number {
    const { calls, statistics } = this.#day
    return Math.sqrt((Math.abs(calls) * statistics.square[this.#name]) / 4)
  }
}
