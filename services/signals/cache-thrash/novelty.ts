import { hashPart, NEVER_SEEN, NOT_SAMPLED, touch, type Ledger } from './ledger.ts'
import { noteGap, type GapMinutes } from './gap-minutes.ts'
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
  /** Tokens of prompts that are new from their first block on, of which nothing was served. */
  headNovel: number
  /** Tokens kept alive in a cache that evicts after `aliveSeconds`, as a mean over a minute. */
  alive: number
  /** Past the last rung that was seen, where it was served: tokens that may repeat, and how many did. */
  known: number
  knownServed: number
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
  known: 0,
  knownServed: 0
}
const RESULT: Novelty = { ...NOTHING }

export type Habit = {
  /** Age in seconds at which the pool evicts now. */
  alive: number
  /** Share that the pool served by gap, before any change of the last tens of minutes. */
  usual: ServedCurve
  /** Share that a tenant's prompts repeat of what an earlier one held past the last rung they share. */
  repeatShare: number
}

/** What a pool knows of its prefixes and of the times between their uses. */
type Known = { ledger: Ledger; gaps: Gaps; gapMinutes: GapMinutes }

/** Reads one prompt against the ledger and notes it there. The result is reused by the next call. */
export const readPrompt = (known: Known, prompt: Prompt, habit: Habit): Readonly<Novelty> => {
  Object.assign(RESULT, NOTHING)
  const { ladder, input } = prompt
  const weight = 2 ** known.ledger.shift
  let upper = 0
  let level = prompt.blockTokens
  let gap = NOT_SAMPLED
  let reached = 0
  for (let from = 0; from < ladder.length && upper < input;) {
    const end = ladder.indexOf(SEPARATOR, from)
    const to = end < 0 ? ladder.length : end
    const lower = upper
    upper = Math.min(level, input)
    const seen = touch(known.ledger, hashPart(ladder, from, to), prompt)
    if (seen.gap === NEVER_SEEN && gap >= 0) {
      addPast(prompt, { lower, upper, gap, weight, reached }, habit)
    } else if (seen.gap !== NOT_SAMPLED) {
      addLevel(known, { lower, upper, gap: seen.gap, weight }, prompt, habit)
    }
    // What the cache serves of it, it had seen: the prompt differs after that, not from its start on.
    const isHeadNew = lower === 0 && seen.gap === NEVER_SEEN && prompt.cached <= 0
    if (isHeadNew) RESULT.headNovel = input * weight
    gap = seen.gap
    reached = seen.tokens
    level *= 2
    from = to + 1
  }
  addPast(prompt, { lower: upper, upper: input, gap, weight: 1, reached }, habit)
  return RESULT
}

/** Tokens [lower, upper) of a prompt, and the seconds since their hash was last seen. */
type LevelRead = { lower: number; upper: number; gap: number; weight: number }

const addLevel = (
  { gaps, gapMinutes }: Known,
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

/** What follows the last rung that was seen, and the tokens of the prompt that then went through it. */
type PastRead = LevelRead & { reached: number }

/**
 * Between the last rung that was seen and the next there is no hash that tells how far a prompt repeats
 * an earlier one. It can not repeat more than that one held; of this, as large a share is taken for a
 * repetition as the tenant's earlier prompts were served: all, where turns of a conversation go on.
 */
const addPast = ({ cached }: Prompt, past: PastRead, habit: Habit): void => {
  const { lower, upper, gap, weight, reached } = past
  const size = (upper - lower) * weight
  const served = Math.min(Math.max(cached - lower, 0), upper - lower) * weight
  if (gap === NEVER_SEEN || gap === NOT_SAMPLED) return addNew(size, served, habit)
  const known = Math.min(Math.max(reached - lower, 0), upper - lower) * weight
  const repeated = known * habit.repeatShare
  const isServed = cached >= lower
  // How much of it repeats differs from prompt to prompt, and is no loss where the rungs were served.
  addReuse(repeated * habit.usual[gapBin(gap)]!, isServed ? repeated : 0)
  const { alive } = habit
  RESULT.alive += (repeated * Math.min(gap, alive) + (size - repeated) * alive) / MINUTE_SECONDS
  RESULT.novel += isServed ? size - served : size - repeated
  if (!isServed) return
  RESULT.known += known
  RESULT.knownServed += Math.min(served, known)
}
