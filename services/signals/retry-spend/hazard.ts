import type { Recent } from '../statistics/recent.ts'
import { remember } from '../statistics/recent.ts'

/**
 * How likely a call is to be followed by another attempt, by how many were made: of one, of two,
 * of three or more. A loop is an operation whose attempts go on far beyond what these chances
 * make of it: with p₁, p₂, p₃ they give −Σ ln p nats against a healthy client, whose every
 * attempt is the last one with chance 1 − p.
 */

export const STAGES = 3

export type Hazard = {
  lastMs: number
  /** Calls that reached a stage, and those that were followed by another; decayed by the day. */
  reached: number[]
  went: number[]
  day: number
}

/** What is assumed of clients that are not known yet, and the operations that outweigh it. */
const PRIOR = [0.05, 0.15, 0.2] as const
const PRIOR_WEIGHT = 10
/** No client is known so well that its retries are a sure sign, nor so badly that they say nothing. */
const CHANCE_MIN = 0.03
const CHANCE_MAX = 0.9
const DECAY_PER_DAY = 0.9
const DAY_MS = 86_400_000

const stageOf = (attempts: number): number => Math.min(STAGES, attempts) - 1

export const hazardOf = (hazards: Recent<Hazard>, tenant: string, ms: number): Hazard => {
  const day = Math.floor(ms / DAY_MS)
  const hazard = hazards.entries.get(tenant) ?? {
    lastMs: ms,
    reached: [0, 0, 0],
    went: [0, 0, 0],
    day
  }
  const decay = DECAY_PER_DAY ** Math.max(0, day - hazard.day)
  if (decay < 1) {
    for (let stage = 0; stage < STAGES; stage++) {
      hazard.reached[stage]! *= decay
      hazard.went[stage]! *= decay
    }
    hazard.day = day
  }
  hazard.lastMs = ms
  remember(hazards, tenant, hazard)
  return hazard
}

/** Counts the attempt with this number. */
export const countAttempt = ({ reached, went }: Hazard, attempt: number): void => {
  reached[stageOf(attempt)]! += 1
  if (attempt > 1) went[stageOf(attempt - 1)]! += 1
}

/** Nats against "this is how this client retries" for an operation with so many attempts. */
export const loopNats = ({ reached, went }: Hazard, attempts: number): number => {
  let nats = 0
  for (let stage = 0; stage < STAGES; stage++) {
    // What the operation itself has counted says nothing about others.
    const own = Math.max(0, stage < STAGES - 1 ? Number(attempts > stage + 1) : attempts - STAGES)
    const others = Math.max(0, reached[stage]! - own)
    const followed = Math.max(0, went[stage]! - own)
    const chance = (followed + PRIOR[stage]! * PRIOR_WEIGHT) / (others + PRIOR_WEIGHT)
    nats -= own * Math.log(Math.min(CHANCE_MAX, Math.max(CHANCE_MIN, chance)))
  }
  return nats
}
