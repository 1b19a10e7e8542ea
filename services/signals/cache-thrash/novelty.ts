import { hashPart, NEVER_SEEN, NOT_SAMPLED, touch, type Ledger } from './ledger.ts'

/**
 * Splits a prompt's input tokens into what the pool had seen and served, had seen but did not
 * serve (re-miss: somebody's loss), had seen so long ago that it would never have served them, and
 * had never seen (novel: the sender's own doing).
 */

export type Prompt = {
  ladder: string
  blockTokens: number
  /** Tokens of one event, and how many of them the cache served. */
  input: number
  cached: number
  second: number
}

export type Novelty = {
  novel: number
  remiss: number
  /** Tokens that would usually be served: used within the pool's usual age, or served anyway. */
  known: number
  /** Tokens of prompts whose very first block is new. */
  headNovel: number
  /** Tokens kept alive in a cache that evicts after `aliveSeconds`, as a mean over a minute. */
  alive: number
}

export const SEPARATOR = '\u001f'
const MINUTE_SECONDS = 60
/** Gaps between uses by quarter powers of two: bin b holds gaps below 2^(b/4) seconds. */
export const GAP_BINS = 48
const BINS_PER_OCTAVE = 4

/** Tokens hit and missed by the time since the prefix was last used: tells the eviction age. */
export type Gaps = { hits: Float64Array; misses: Float64Array }

const RESULT: Novelty = { novel: 0, remiss: 0, known: 0, headNovel: 0, alive: 0 }

/** Ages at which the pool evicts: the one of now, and the one of before any change of the hour. */
export type Ages = { alive: number; usual: number }

/** Reads one prompt against the ledger and notes it there. The result is reused by the next call. */
export const readPrompt = (
  ledger: Ledger,
  gaps: Gaps,
  prompt: Prompt,
  ages: Ages
): Readonly<Novelty> => {
  clear()
  const { ladder, input } = prompt
  const weight = 2 ** ledger.shift
  let upper = 0
  let level = prompt.blockTokens
  for (let from = 0; from < ladder.length && upper < input;) {
    const end = ladder.indexOf(SEPARATOR, from)
    const to = end < 0 ? ladder.length : end
    const lower = upper
    upper = Math.min(level, input)
    const gap = touch(ledger, hashPart(ladder, from, to), prompt.second)
    if (gap !== NOT_SAMPLED) {
      addLevel(gaps, { lower, upper, gap, weight }, prompt.cached, ages)
      if (lower === 0 && gap === NEVER_SEEN) RESULT.headNovel = input * weight
    }
    level *= 2
    from = to + 1
  }
  addTail(prompt, upper, ages.alive)
  return RESULT
}

const clear = (): void => {
  RESULT.novel = 0
  RESULT.remiss = 0
  RESULT.known = 0
  RESULT.headNovel = 0
  RESULT.alive = 0
}

type LevelRead = { lower: number; upper: number; gap: number; weight: number }

const addLevel = (gaps: Gaps, level: LevelRead, cached: number, ages: Ages): void => {
  const { lower, upper, gap, weight } = level
  const size = (upper - lower) * weight
  const served = Math.min(Math.max(cached - lower, 0), upper - lower) * weight
  if (gap === NEVER_SEEN) {
    RESULT.novel += size - served
    RESULT.known += served
    RESULT.alive += (size * ages.alive) / MINUTE_SECONDS
    return
  }
  const lost = gap <= ages.usual ? size - served : 0
  RESULT.remiss += lost
  RESULT.known += served + lost
  RESULT.alive += (size * Math.min(gap, ages.alive)) / MINUTE_SECONDS
  const bin = Math.min(GAP_BINS - 1, Math.ceil(BINS_PER_OCTAVE * Math.log2(gap + 1)))
  gaps.hits[bin]! += served
  gaps.misses[bin]! += size - served
}

/** Tokens past the last rung can't be recognised: new unless served. */
const addTail = ({ input, cached }: Prompt, upper: number, aliveSeconds: number): void => {
  const tail = input - upper
  const served = Math.min(Math.max(cached - upper, 0), tail)
  RESULT.novel += tail - served
  RESULT.known += served
  RESULT.alive += (tail * aliveSeconds) / MINUTE_SECONDS
}

/** The age that best parts served from unserved reuse: when the pool evicts, in seconds. */
export const evictionAge = ({ hits, misses }: Gaps): number => {
  let errors = hits.reduce((sum, tokens) => sum + tokens, 0)
  let best = { bin: 0, errors }
  for (let bin = 0; bin < GAP_BINS; bin++) {
    errors += misses[bin]! - hits[bin]!
    if (errors <= best.errors) best = { bin, errors }
  }
  return 2 ** (best.bin / BINS_PER_OCTAVE)
}
