/**
 * What share of reused tokens a cache serves, by the time since they were last used. Least recently
 * used blocks go first, so the share never rises with the time: an isotonic fit says the rest, and
 * no form of the curve is assumed.
 */

/** Gaps between uses by quarter powers of two: bin b holds gaps below 2^(b/4) seconds. */
export const GAP_BINS = 48
const BINS_PER_OCTAVE = 4

/** Tokens hit and missed by the time since the prefix was last used. */
export type Gaps = { hits: Float64Array; misses: Float64Array }

/** Share of tokens served per bin of gaps: not rising. */
export type ServedCurve = ArrayLike<number>

export const createGaps = (): Gaps => ({
  hits: new Float64Array(GAP_BINS),
  misses: new Float64Array(GAP_BINS)
})

export const gapBin = (seconds: number): number =>
  Math.min(GAP_BINS - 1, Math.ceil(BINS_PER_OCTAVE * Math.log2(seconds + 1)))

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

/** A cache of which nothing is known but an age: all that is younger is served. */
export const stepCurve = (ageSeconds: number): number[] =>
  Array.from({ length: GAP_BINS }, (_, bin) => (bin <= gapBin(ageSeconds) ? 1 : 0))

type Block = { hits: number; tokens: number; bins: number }

/** Pools adjacent violators; a bin without tokens takes the share of the one before it. */
export const servedCurve = ({ hits, misses }: Gaps): number[] => {
  const blocks: Block[] = []
  for (let bin = 0; bin < GAP_BINS; bin++) {
    let block: Block = { hits: hits[bin]!, tokens: hits[bin]! + misses[bin]!, bins: 1 }
    for (let last = blocks.at(-1); last !== undefined && rises(last, block); last = blocks.at(-1)) {
      blocks.pop()
      block = join(last, block)
    }
    blocks.push(block)
  }
  return blocks.flatMap(({ hits: served, tokens, bins }) =>
    Array.from({ length: bins }, () => (tokens > 0 ? served / tokens : 1))
  )
}

const rises = (last: Block, next: Block): boolean =>
  next.tokens <= 0 || last.tokens <= 0 || next.hits * last.tokens >= last.hits * next.tokens

const join = (one: Block, other: Block): Block => ({
  hits: one.hits + other.hits,
  tokens: one.tokens + other.tokens,
  bins: one.bins + other.bins
})

/**
 * Share of what a cache serves that it would not serve with more put into it, as a share of all it
 * keeps: its age shrinks as much, and with it goes what is used again just before its end.
 */
export const servedLess = (gaps: Gaps, growth: number): number => {
  const end = BINS_PER_OCTAVE * Math.log2(evictionAge(gaps) / (1 + growth) + 1)
  let all = 0
  let late = 0
  for (let bin = 0; bin < GAP_BINS; bin++) {
    all += gaps.hits[bin]!
    late += gaps.hits[bin]! * Math.min(1, Math.max(0, bin - end))
  }
  return all > 0 ? late / all : 0
}
