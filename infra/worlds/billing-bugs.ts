import type { TokenCounts } from '../../services/rates/prices/buckets.ts'
import { createRandom, type Random } from './random.ts'

/**
 * Bugs of meters as they were reported, with the issue: what is recorded of a call, and what the
 * stated cost was worked out from. Sizes are drawn, so that no two calls are alike.
 */

export type BilledCall = { recorded: TokenCounts; priced: TokenCounts }

export type BillingBug = {
  provider: string
  model: string
  cause: string
  side: 'stated' | 'recorded'
  call: (size: () => number) => BilledCall
}

const CLAUDE = { provider: 'anthropic', model: 'claude-sonnet-4-5' }
const GEMINI = { provider: 'gcp.gemini', model: 'gemini-2.5-flash' }

export const BILLING_BUGS: Readonly<Record<string, BillingBug>> = {
  'litellm#34801: a quarter of cached reads is missed': {
    ...CLAUDE,
    cause: 'cached-reads-missed',
    side: 'recorded',
    call: (size) => {
      const [fresh, read, out] = [size(), 6 * size(), size()]
      const missed = Math.floor(0.24 * read)
      return {
        recorded: { in_uncached: fresh + missed, in_cache_read: read - missed, out_text: out },
        priced: { in_uncached: fresh, in_cache_read: read, out_text: out }
      }
    }
  },
  'litellm#37407: cached images at the full rate': {
    ...GEMINI,
    cause: 'cached-images-priced-as-input',
    side: 'stated',
    call: (size) => {
      const [fresh, read, image, out] = [size(), size(), 3 * size(), size()]
      return {
        recorded: {
          in_uncached: fresh,
          in_cache_read: read + image,
          in_cached_image: image,
          out_text: out
        },
        priced: {
          in_uncached: fresh + image,
          in_cache_read: read,
          in_image: image,
          out_text: out
        }
      }
    }
  },
  'bifrost#3451: cache writes counted as input once more': {
    ...CLAUDE,
    cause: 'cache-writes-counted-twice',
    side: 'stated',
    call: (size) => {
      const [fresh, write, out] = [size(), size(), size()]
      return {
        recorded: { in_uncached: fresh, in_cache_write_5m: write, out_text: out },
        priced: { in_uncached: fresh + write, in_cache_write_5m: write, out_text: out }
      }
    }
  },
  'fazer-ai#334: thinking tokens dropped': {
    ...GEMINI,
    cause: 'reasoning-dropped',
    side: 'stated',
    call: (size) => {
      const [fresh, text, thought] = [size(), size(), 2 * size()]
      return {
        recorded: { in_uncached: fresh, out_text: text, out_reasoning: thought },
        priced: { in_uncached: fresh, out_text: text }
      }
    }
  },
  'ODS#2519: cached tokens counted twice': {
    ...CLAUDE,
    cause: 'cached-reads-counted-twice',
    side: 'stated',
    call: (size) => {
      const [fresh, read, out] = [size(), 8 * size(), size()]
      return {
        recorded: { in_uncached: fresh, in_cache_read: read, out_text: out },
        priced: { in_uncached: fresh + read, in_cache_read: read, out_text: out }
      }
    }
  }
}

/** Sizes of token classes: exponential, never tiny. */
export const sizesOf = (random: Random) => (): number => Math.ceil(300 * random.exponential(1)) + 20

/** `count` calls of a bug, of which the first `sound` are priced as they are recorded. */
export const billedCalls = (
  bug: BillingBug,
  { count, sound, seed }: { count: number; sound: number; seed: number }
): BilledCall[] => {
  const size = sizesOf(createRandom(seed))
  return Array.from({ length: count }, (_, n) => {
    const { recorded, priced } = bug.call(size)
    return { recorded, priced: n < sound ? recorded : priced }
  })
}
