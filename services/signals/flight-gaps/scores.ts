import type { Draft } from '../define.ts'
import { FACTS } from './facts.ts'

/** How complete the flights of an emitter and agent are, over all tenants. */

export type Score = {
  /** Emitter and agent, by which it is found. */
  key: string
  emitter: string | null
  agent: string | null
  steps: number
  /** Per fact, in the order of `FACTS`: where it applies, and where it is missing. */
  applies: number[]
  missing: number[]
  firstMs: number
  lastMs: number
  open: Draft | null
}

/** Steps above which counts are halved, so that a score follows over days. */
const STEPS_MAX = 20_000
/** Emitters and agents kept; beyond, the longest idle goes. */
const SCORES_MAX = 5_000

export const scoreFor = (
  scores: Map<string, Score>,
  { emitter, agent }: Pick<Score, 'emitter' | 'agent'>,
  ms: number
): Score => {
  const key = JSON.stringify([emitter, agent])
  const known = scores.get(key)
  if (known !== undefined) return known
  if (scores.size >= SCORES_MAX) scores.delete(idlest(scores))
  const score: Score = {
    key,
    emitter,
    agent,
    steps: 0,
    applies: FACTS.map(() => 0),
    missing: FACTS.map(() => 0),
    firstMs: ms,
    lastMs: ms,
    open: null
  }
  scores.set(key, score)
  return score
}

const idlest = (scores: Map<string, Score>): string => {
  let found = ''
  let oldest = Infinity
  for (const [key, { lastMs }] of scores) if (lastMs < oldest) [found, oldest] = [key, lastMs]
  return found
}

/** Counts a fact by its place in `FACTS`. */
export const countFact = (score: Score, fact: number, isMissing: boolean): void => {
  score.applies[fact]! += 1
  if (isMissing) score.missing[fact]! += 1
}

export const countStep = (score: Score, ms: number): void => {
  score.steps += 1
  score.lastMs = ms
  if (score.steps <= STEPS_MAX) return
  score.steps /= 2
  score.applies = score.applies.map((n) => n / 2)
  score.missing = score.missing.map((n) => n / 2)
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)

/** Share of applicable facts that are recorded, from 0 to 1; 1 where nothing applies. */
export const completeness = ({ applies, missing }: Score): number =>
  sum(applies) === 0 ? 1 : 1 - sum(missing) / sum(applies)

/** Facts that are missing somewhere, worst first. */
export const gapsOf = ({ applies, missing }: Score) =>
  FACTS.flatMap((fact, index) =>
    missing[index]! > 0
      ? [
          {
            fact,
            missing_pct: Math.round((1000 * missing[index]!) / applies[index]!) / 10,
            steps: Math.round(applies[index]!)
          }
        ]
      : []
  ).toSorted((a, b) => b.missing_pct - a.missing_pct)
