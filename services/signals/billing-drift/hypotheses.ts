import type { TokenCounts } from '../../rates/prices/buckets.ts'
import type { PricedUsage } from '../../rates/prices/usage.ts'
import { INPUT_BUCKETS } from '../../../schemas/tokens.ts'

/**
 * The known ways in which a call is priced wrongly. Each says what the other side counted: the
 * call priced again in that way must give the stated cost, to the pico-dollar. Some can hold for
 * a part of the tokens; then the difference is a whole number of tokens at one rate.
 */

/** Whose figure is wrong: the cost that was stated to us, or the tokens that we recorded. */
export type Side = 'stated' | 'recorded'

export type Hypothesis = {
  cause: string
  side: Side
  /** The token class, for people. */
  tokenClass: string
  /** The usage as the other side priced it, for all of the tokens in question; null = no such tokens. */
  all: (usage: PricedUsage) => PricedUsage | null
  /** The same for a single token, where a part of them can be concerned. */
  one?: (usage: PricedUsage) => { usage: PricedUsage; most: number } | null
}

type Bucket = keyof TokenCounts

const count = (tokens: TokenCounts, name: Bucket): number => tokens[name] ?? 0

const WRITES = INPUT_BUCKETS.filter((name) => name.startsWith('in_cache_write'))
const writesOf = (tokens: TokenCounts): number =>
  WRITES.reduce((sum, name) => sum + count(tokens, name), 0)

const withTokens = (usage: PricedUsage, changes: Partial<Record<Bucket, number>>): PricedUsage => {
  const tokens: TokenCounts = { ...usage.tokens }
  for (const [name, change] of Object.entries(changes) as [Bucket, number][]) {
    tokens[name] = count(tokens, name) + change
  }
  return { ...usage, tokens }
}

type Move = (amount: number) => Partial<Record<Bucket, number>>

/** `amount` tokens of a bucket, priced elsewhere. */
const moving = (
  names: Pick<Hypothesis, 'cause' | 'side' | 'tokenClass'>,
  amount: (tokens: TokenCounts) => number,
  move: Move,
  isDivisible = true
): Hypothesis => ({
  ...names,
  all: (usage) => {
    const tokens = amount(usage.tokens)
    return tokens > 0 ? withTokens(usage, move(tokens)) : null
  },
  ...(isDivisible
    ? {
        one: (usage: PricedUsage) => {
          const most = amount(usage.tokens)
          return most > 0 ? { usage: withTokens(usage, move(1)), most } : null
        }
      }
    : {})
})

const of =
  (name: Bucket) =>
  (tokens: TokenCounts): number =>
    count(tokens, name)

/** Every cache write, whatever its time to live, priced elsewhere: all of them or none. */
const writes = (
  cause: string,
  change: (tokens: TokenCounts) => Partial<Record<Bucket, number>>,
  side: Side = 'stated'
): Hypothesis => ({
  cause,
  side,
  tokenClass: 'cache write',
  all: (usage) => (writesOf(usage.tokens) > 0 ? withTokens(usage, change(usage.tokens)) : null)
})

const without = (tokens: TokenCounts): Partial<Record<Bucket, number>> =>
  Object.fromEntries(WRITES.map((name) => [name, -count(tokens, name)]))

const READ = { side: 'stated', tokenClass: 'cache read' } as const
const REASONING = { side: 'stated', tokenClass: 'reasoning' } as const
const IMAGE = { side: 'stated', tokenClass: 'cached image' } as const

const tokenMoves: readonly Hypothesis[] = [
  moving({ ...READ, cause: 'cached-reads-priced-as-input' }, of('in_cache_read'), (n) => ({
    in_cache_read: -n,
    in_uncached: n
  })),
  moving({ ...READ, cause: 'cached-reads-counted-twice' }, of('in_cache_read'), (n) => ({
    in_uncached: n
  })),
  moving({ ...READ, cause: 'cached-reads-dropped' }, of('in_cache_read'), (n) => ({
    in_cache_read: -n
  })),
  writes('cache-writes-counted-twice', (tokens) => ({ in_uncached: writesOf(tokens) })),
  writes('cache-writes-priced-as-input', (tokens) => ({
    ...without(tokens),
    in_uncached: writesOf(tokens)
  })),
  writes('cache-writes-dropped', without),
  moving({ ...REASONING, cause: 'reasoning-dropped' }, of('out_reasoning'), (n) => ({
    out_reasoning: -n
  })),
  moving({ ...REASONING, cause: 'reasoning-counted-twice' }, of('out_reasoning'), (n) => ({
    out_reasoning: n
  })),
  moving({ ...IMAGE, cause: 'cached-images-priced-as-input' }, of('in_cached_image'), (n) => ({
    in_cached_image: -n,
    in_cache_read: -n,
    in_image: n,
    in_uncached: n
  })),
  moving(
    { cause: 'cache-writes-5m-priced-as-1h', side: 'stated', tokenClass: 'cache write' },
    of('in_cache_write_5m'),
    (n) => ({ in_cache_write_5m: -n, in_cache_write_1h: n })
  ),
  moving(
    { cause: 'cache-writes-1h-priced-as-5m', side: 'stated', tokenClass: 'cache write' },
    of('in_cache_write_1h'),
    (n) => ({ in_cache_write_1h: -n, in_cache_write_5m: n })
  )
]

/** The statement is right and the tokens that reached us are not. */
const recordedWrong: readonly Hypothesis[] = [
  {
    ...moving(
      { cause: 'cached-reads-missed', side: 'recorded', tokenClass: 'cache read' },
      of('in_uncached'),
      (n) => ({ in_uncached: -n, in_cache_read: n })
    ),
    // Never all of the input: some of it is always new.
    all: () => null
  },
  moving(
    { cause: 'cached-reads-counted-twice', side: 'recorded', tokenClass: 'cache read' },
    (tokens) => Math.min(count(tokens, 'in_cache_read'), count(tokens, 'in_uncached')),
    (n) => ({ in_uncached: -n }),
    false
  ),
  writes(
    'cache-writes-counted-twice',
    (tokens) => ({ in_uncached: -Math.min(writesOf(tokens), count(tokens, 'in_uncached')) }),
    'recorded'
  ),
  moving(
    { cause: 'reasoning-counted-twice', side: 'recorded', tokenClass: 'reasoning' },
    (tokens) => Math.min(count(tokens, 'out_reasoning'), count(tokens, 'out_text')),
    (n) => ({ out_text: -n }),
    false
  ),
  {
    ...moving(
      { cause: 'reasoning-dropped', side: 'recorded', tokenClass: 'reasoning' },
      () => Infinity,
      (n) => ({ out_reasoning: n })
    ),
    // How many tokens are missing is not known beforehand.
    all: () => null
  }
]

const changed = (cause: string, tokenClass: string, all: Hypothesis['all']): Hypothesis => ({
  cause,
  side: 'stated',
  tokenClass,
  all
})

const tiers: readonly Hypothesis[] = ['standard', 'flex', 'priority'].map((tier) =>
  changed(`priced-in-tier-${tier}`, 'all', (usage) =>
    usage.batch === true || (usage.service_tier ?? 'standard') === tier
      ? null
      : { ...usage, service_tier: tier }
  )
)

export const HYPOTHESES: readonly Hypothesis[] = [
  ...tokenMoves,
  changed('batch-priced-as-live', 'all', (usage) =>
    usage.batch === true ? { ...usage, batch: false } : null
  ),
  changed('live-priced-as-batch', 'all', (usage) =>
    usage.batch === true ? null : { ...usage, batch: true }
  ),
  changed('priced-as-requested-model', 'all', (usage) =>
    usage.response_model == null ||
    usage.request_model == null ||
    usage.request_model === usage.response_model
      ? null
      : { ...usage, response_model: usage.request_model }
  ),
  changed('sub-inferences-dropped', 'sub-inference', (usage) =>
    usage.iterations == null || usage.iterations.length === 0
      ? null
      : { ...usage, iterations: null }
  ),
  changed('tool-charges-dropped', 'unit', (usage) =>
    usage.units == null || Object.keys(usage.units).length === 0 ? null : { ...usage, units: null }
  ),
  ...tiers,
  ...recordedWrong
]
