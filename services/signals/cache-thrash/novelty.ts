import { hashPart, NEVER_SEEN, NOT_SAMPLED, touch, type Ledger } from './ledger.ts'
import { noteGap, type GapMinutes } from './gap-minutes.ts'
import type { OwnGaps } from './tenant-ring.ts'
import { gapBin, type Gaps, type ServedCurve } from './served-curve.ts'

/**
 * Splits a prompt's input tokens into what the cache usually serves after such a time without use,
 * what of that it did not serve (re-miss: somebody's loss), and what it had never seen (novel: the
 * sender's own doing).
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
  /** Usual less served tokens: below 0 where the cache served more than it usually does. */
  remiss: number
  /** Tokens that the cache usually serves of prompts like this one. */
  usual: number
  /** Tokens that could have been served: each level's usual or served ones, whichever is more. */
  reusable: number
  /** Of those, the served. */
  reused: number
  /** Tokens of prompts whose very first block is new. */
  headNovel: number
  /** Tokens kept alive in a cache that evicts after `aliveSeconds`, as a mean over a minute. */
  alive: number
  /** Tokens past the last rung of a prompt whose rungs were all served, and how many were served. */
  tail: number
  tailServed: number
}

export const SEPARATOR = '\u001f'
const MINUTE_SECONDS = 60

const NOTHING: Readonly<Novelty> = {
  novel: 0,
  remiss: 0,
  usual: 0,
  reusable: 0,
  reused: 0,
  headNovel: 0,
  alive: 0,
  tail: 0,
  tailServed: 0
}
const RESULT: Novelty = { ...NOTHING }

export type Habit = {
  /** Age in seconds at which the pool evicts now. */
  alive: number
  /** Share that the pool served by gap, before any change of the last tens of minutes. */
  usual: ServedCurve
  /** Share of the tokens past the last rung that a tenant's prompts repeat, too. */
  tailShare: number
}

/** What a pool knows of its prefixes and of the times between their uses, by all and by the sender. */
type Known = { ledger: Ledger; gaps: Gaps; gapMinutes: GapMinutes; own: OwnGaps }

/** Reads one prompt against the ledger and notes it there. The result is reused by the next call. */
export const readPrompt = (known: Known, prompt: Prompt, habit: Habit): Readonly<Novelty> => {
  Object.assign(RESULT, NOTHING)
  const { ladder, input } = prompt
  const { ledger, own } = known
  const weight = 2 ** ledger.shift
  let upper = 0
  let level = prompt.blockTokens
  let gap = NOT_SAMPLED
  for (let from = 0; from < ladder.length && upper < input;) {
    const end = ladder.indexOf(SEPARATOR, from)
    const to = end < 0 ? ladder.length : end
    const lower = upper
    upper = Math.min(level, input)
    gap = touch(ledger, hashPart(ladder, from, to), prompt.second)
    if (gap !== NOT_SAMPLED) {
      addLevel(known, { lower, upper, gap, weight }, prompt, habit)
      if (lower === 0 && gap === NEVER_SEEN) RESULT.headNovel = input * weight
    }
    level *= 2
    from = to + 1
  }
  addTail(own, prompt, { lower: upper, upper: input, gap, weight }, habit)
  return RESULT
}

/** Tokens [lower, upper) of a prompt, and the seconds since their hash was last seen. */
type LevelRead = { lower: number; upper: number; gap: number; weight: number }

const addLevel = (
  { gaps, gapMinutes, own }: Known,
  level: LevelRead,
  { cached, second }: Prompt,
  habit: Habit
): void => {
  const { lower, upper, gap, weight } = level
  const size = (upper - lower) * weight
  const served = Math.min(Math.max(cached - lower, 0), upper - lower) * weight
  if (gap === NEVER_SEEN) return addNew(size, served, habit)
  const bin = gapBin(gap)
  const usual = size * habit.usual[bin]!
  addReuse(usual, served)
  noteGap(gapMinutes, Math.floor(second / MINUTE_SECONDS), {
    bin,
    served,
    missed: size - served,
    usual
  })
  own.cells[own.at + bin]! += size * own.times
  RESULT.alive += (size * Math.min(gap, habit.alive)) / MINUTE_SECONDS
  gaps.hits[bin]! += served
  gaps.misses[bin]! += size - served
}

/** What is served though it was not seen says nothing about loss. */
const addNew = (size: number, served: number, { alive }: Habit): void => {
  RESULT.novel += size - served
  addReuse(served, served)
  RESULT.alive += (size * alive) / MINUTE_SECONDS
}

const addReuse = (usual: number, served: number): void => {
  RESULT.usual += usual
  RESULT.remiss += usual - served
  RESULT.reusable += Math.max(usual, served)
  RESULT.reused += served
}

/**
 * Tokens past the last rung have no hash: of a prompt whose last rung was seen, as many are taken
 * for a repetition as of the tenant's earlier prompts.
 */
const addTail = (own: OwnGaps, { cached }: Prompt, tail: LevelRead, habit: Habit): void => {
  const { lower, upper, gap } = tail
  const size = upper - lower
  const served = Math.min(Math.max(cached - lower, 0), size)
  if (gap === NEVER_SEEN || gap === NOT_SAMPLED) return addNew(size, served, habit)
  const repeated = size * habit.tailShare
  const isServed = cached >= lower
  // How much of it repeats differs from prompt to prompt, and is no loss where the rungs were served.
  addReuse(repeated * habit.usual[gapBin(gap)]!, isServed ? repeated : 0)
  own.cells[own.at + gapBin(gap)]! += repeated * own.times
  const { alive } = habit
  RESULT.alive += (repeated * Math.min(gap, alive) + (size - repeated) * alive) / MINUTE_SECONDS
  RESULT.novel += isServed ? size - served : size - repeated
  if (!isServed) return
  RESULT.tail = size
  RESULT.tailServed = served
}
