import { addPart } from './cells.ts'
import type { Cause } from './causes.ts'
import type { CallStatistics } from './call-statistics.ts'
import { CLASSES, classOf, valueOf, type TokenClass, type Working } from './working.ts'

/**
 * The tokens of one model and day that the bill has more or fewer of than we. Three things can be
 * told apart: whole calls missing on one side move every class by about what a call has; a class
 * counted differently moves alone; calls put in another tier or time to live leave the sum of a
 * class as it was.
 */

/** A class this many standard errors off what the missing calls explain was counted differently. */
const SIGMAS = 4
/** A class of tokens in at least this part of the calls must move when calls are missing. */
const PRESENT_MIN = 0.8
/** Input classes whose deviations cancel to this part were exchanged, not miscounted. */
const EXCHANGED = 0.1

export type TokenGap = {
  /** Calls more on the bill than on our side, estimated. */
  calls: number
  /** Dollars (pico) by which noise may have put tokens under the wrong cause. */
  noisePico: number
}

type Sums = Record<TokenClass, number>

/** Assigns the token differences of one group and bucket. `requests` is the gap in calls if told. */
export const assignTokens = (
  workings: readonly Working[],
  statistics: CallStatistics,
  { requests, cause }: { requests: number | null; cause: Cause | null }
): TokenGap => {
  const gaps = new Map(workings.map((working) => [working, gapIn(working)]))
  const sums = sumByClass(workings, (working) => gaps.get(working) ?? 0)
  const calls = requests ?? estimateCalls(sums, statistics)
  const counted = miscounted(sums, calls, statistics)
  const moves = new Moves(workings, gaps, { sums, calls, statistics })
  for (const working of workings) {
    const name = classOf(working.cell.meter)
    const gap = gaps.get(working) ?? 0
    const moved = moves.of(working)
    const share = moves.shareOf(working)
    const miscount = counted.tokens[name] * share
    const rest = gap - moved.ttl - moved.tier - miscount
    const whole =
      cause ?? (sums[name] - counted.tokens[name] >= 0 ? 'unseen_calls' : 'unbilled_calls')
    add(working, counted.cause[name], miscount)
    add(working, 'misclassified_cache_ttl', moved.ttl)
    add(working, moves.tierCause, moved.tier)
    add(working, whole, rest)
  }
  return { calls, noisePico: moves.noisePico }
}

const add = (working: Working, cause: Cause, tokens: number): void =>
  addPart(working.cell, cause, valueOf(working.price, tokens))

/** Differences within the rounding of the bill are none. */
const gapIn = ({ billed, tokens, slack }: Working): number => {
  const gap = (billed ?? 0) - tokens
  return Math.abs(gap) <= slack ? 0 : gap
}

const sumByClass = (workings: readonly Working[], of: (working: Working) => number): Sums => {
  const sums = { in: 0, read: 0, write: 0, out: 0 }
  for (const working of workings) sums[classOf(working.cell.meter)] += of(working)
  return sums
}

/**
 * Calls missing on our side. A class that nearly every call has and that does not differ says
 * none; else the middle of what the classes suggest, the steadiest counting most.
 */
const estimateCalls = (sums: Sums, { calls, mean, square, present }: CallStatistics): number => {
  const told = CLASSES.filter((name) => mean[name] > 0)
  if (calls === 0 || told.length === 0) return Object.values(sums).some((sum) => sum > 0) ? 1 : 0
  if (told.some((name) => sums[name] === 0 && present[name] >= PRESENT_MIN)) return 0
  const votes = told
    .map((name) => ({
      calls: sums[name] / mean[name],
      weight: mean[name] ** 2 / Math.max(square[name], Number.MIN_VALUE)
    }))
    .toSorted((left, right) => left.calls - right.calls)
  if (votes.length === 2) {
    return votes.reduce((least, vote) =>
      Math.abs(vote.calls) < Math.abs(least.calls) ? vote : least
    ).calls
  }
  const half = votes.reduce((sum, { weight }) => sum + weight, 0) / 2
  let sum = 0
  for (const vote of votes) {
    sum += vote.weight
    if (sum >= half) return vote.calls
  }
  return 0
}

type Miscount = { tokens: Sums; cause: Record<TokenClass, Cause> }

/** Tokens by class that missing calls do not explain. */
const miscounted = (
  sums: Sums,
  calls: number,
  { mean, square, calls: known }: CallStatistics
): Miscount => {
  const tokens = { in: 0, read: 0, write: 0, out: 0 }
  if (known > 0) {
    for (const name of CLASSES) {
      const off = sums[name] - calls * mean[name]
      const error = Math.sqrt(Math.max(Math.abs(calls), 0) * square[name])
      if (Math.abs(off) > SIGMAS * error) tokens[name] = off
    }
  }
  const inputs = (['in', 'read', 'write'] as const).map((name) => tokens[name])
  const total = Math.abs(inputs.reduce((sum, value) => sum + value, 0))
  const parts = inputs.reduce((sum, value) => sum + Math.abs(value), 0)
  const input = parts > 0 && total < EXCHANGED * parts ? 'misclassified_cache' : 'token_count'
  return { tokens, cause: { in: input, read: input, write: input, out: 'token_count' } }
}

type Context = { sums: Sums; calls: number; statistics: CallStatistics }
type Moved = { ttl: number; tier: number }

/** Tokens that stand in another tier or time to live on the bill; they sum to nothing per class. */
class Moves {
  readonly tierCause: Cause
  noisePico = 0
  readonly #workings: readonly Working[]
  readonly #gaps: ReadonlyMap<Working, number>
  readonly #context: Context
  readonly #totals: Sums

  constructor(workings: readonly Working[], gaps: ReadonlyMap<Working, number>, context: Context) {
    this.#workings = workings
    this.#gaps = gaps
    this.#context = context
    this.#totals = sumByClass(workings, ({ tokens }) => tokens)
    const tiers = new Set(workings.map(({ cell }) => cell.tier))
    this.tierCause = tiers.has('batch') ? 'misclassified_batch' : 'misclassified_tier'
  }

  /** Part of a class that stands in a cell on our side. */
  shareOf(working: Working): number {
    const name = classOf(working.cell.meter)
    const total = this.#totals[name]
    if (total !== 0) return working.tokens / total
    return 1 / this.#workings.filter(({ cell }) => classOf(cell.meter) === name).length
  }

  of(working: Working): Moved {
    const name = classOf(working.cell.meter)
    const tier = this.#tierShift(working.cell.tier, name)
    const inTier = this.#workings.filter(
      ({ cell }) => classOf(cell.meter) === name && cell.tier === working.cell.tier
    )
    const own = this.#deviation(working)
    const ofTier = inTier.reduce((sum, peer) => sum + this.#deviation(peer), 0)
    const tokens = inTier.reduce((sum, peer) => sum + this.shareOf(peer), 0)
    const share = tokens === 0 ? 0 : this.shareOf(working) / tokens
    const ttl = inTier.length > 1 && this.#isOpposed(inTier, name) ? own - share * ofTier : 0
    return { ttl, tier: tier === 0 ? 0 : share * tier }
  }

  #deviation(working: Working): number {
    const name = classOf(working.cell.meter)
    return (this.#gaps.get(working) ?? 0) - this.#context.sums[name] * this.shareOf(working)
  }

  /** What a tier has more of a class than its share, when the tiers differ in opposite directions. */
  #tierShift(tier: string | null, name: TokenClass): number {
    const tiers = this.#tierSums(name)
    if (tiers.size < 2 || !this.#tiersOppose()) return 0
    return tiers.get(tier)?.deviation ?? 0
  }

  #tierSums(name: TokenClass): Map<string | null, { gap: number; deviation: number }> {
    const sums = new Map<string | null, { gap: number; deviation: number }>()
    for (const working of this.#workings) {
      if (classOf(working.cell.meter) !== name) continue
      const sum = sums.get(working.cell.tier) ?? { gap: 0, deviation: 0 }
      sum.gap += this.#gaps.get(working) ?? 0
      sum.deviation += this.#deviation(working)
      sums.set(working.cell.tier, sum)
    }
    return sums
  }

  /** Calls of every class went from one tier to another, beyond what missing calls do by chance. */
  #tiersOppose(): boolean {
    return CLASSES.some((name) => {
      const sums = [...this.#tierSums(name).values()]
      const opposed = sums.some(({ gap }) => gap > 0) && sums.some(({ gap }) => gap < 0)
      const largest = Math.max(0, ...sums.map(({ deviation }) => Math.abs(deviation)))
      return opposed && largest > SIGMAS * this.#chance(name)
    })
  }

  #isOpposed(peers: readonly Working[], name: TokenClass): boolean {
    const gaps = peers.map((peer) => this.#gaps.get(peer) ?? 0)
    const opposed = gaps.some((gap) => gap > 0) && gaps.some((gap) => gap < 0)
    const largest = Math.max(0, ...peers.map((peer) => Math.abs(this.#deviation(peer))))
    return opposed && largest > SIGMAS * this.#chance(name)
  }

  /** Standard error of how missing calls fall on tiers and times to live. */
  #chance(name: TokenClass): number {
    const { calls, statistics } = this.#context
    return Math.sqrt((Math.abs(calls) * statistics.square[name]) / 4)
  }
}
