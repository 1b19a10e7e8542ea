import {
  addRatio,
  clearSketch,
  copySketch,
  quantileBin,
  quantileInterval,
  ratioOfBin,
  scaleSketch,
  sketchWeight
} from '../statistics/ratio-sketch.ts'
import { mixNats, voteNats } from '../statistics/sign-bets.ts'
import { clearClock, learnClock, scaleClock, usualShares } from './clock.ts'
import { G, startOf, type Groups } from './groups.ts'
import {
  CHANGE_SHARES,
  dayOf,
  LEVEL_SHARES,
  recentOf,
  SHAPE,
  SUMS,
  T,
  usualOf,
  type SeriesState
} from './series.ts'
import type { Settings } from './settings.ts'

/** One minute of one series: votes on a standing drift and on a change, then learning. */

export type Outcome = 'nothing' | 'drifts' | 'changed'

/** Half of the calls differ one way by chance alone; a quarter lie beyond a quartile. */
const HALF = 0.5
/** Beyond a quartile lies what usually does at this time of day, and this much more as the mix moves. */
const MIX_SHARE = 0.15
/** The share that alternatives are stated against. */
const QUARTILE_CHANCE = 0.25 + MIX_SHARE
/** No minute counts for more: three odd minutes can't alarm. */
const CAP_NATS = 3
/** Evidence above which calls teach nothing about what is usual. */
const SUSPEND_NATS = 3
const MINUTE_MS = 60_000
/** Half-life of habits: 6.6 days. */
const DECAY_PER_DAY = 0.9
/** Each cluster counts for itself up to this many a minute; more are one deployment's copies. */
const CLUSTERS_PER_MINUTE_MAX = 200

/** Groups of one series. */
export type Own = { groups: Groups; numbers: readonly number[] }

export const judgeMinute = (
  state: SeriesState,
  slot: number,
  { own, ms }: { own: Own; ms: number },
  settings: Settings
): Outcome => {
  const d = state.records.doubles
  const at = slot * SHAPE.doubles
  closeDays(state, slot, dayOf(ms))
  const weight = sketchWeight(usualOf(state, slot))
  const isKnown = weight >= settings.baselineClusters
  const votes = countVotes(state, slot, own, settings)
  betOnLevel(d, at, votes, settings)
  if (isKnown) betOnChange(d, at, votes, usualShares(state, slot, ms))
  if (weight > 0) learnClock(state, slot, { ms, votes })
  const changeNats = isKnown ? changeEvidence(d, at) : 0
  if (changeNats === 0) clearRecent(state, slot, ms)
  learn(state, slot, own, changeNats)
  d[at + T.lastMs] = ms
  if (changeNats >= settings.changeNats) return endChange(state, slot, settings)
  const isYoung = d[at + T.clusters]! <= settings.levelClustersMax
  return isYoung && levelEvidence(d, at) >= settings.levelNats ? 'drifts' : 'nothing'
}

const closeDays = (state: SeriesState, slot: number, day: number): void => {
  const d = state.records.doubles
  const at = slot * SHAPE.doubles
  const days = day - d[at + T.day]!
  if (days <= 0) return
  scaleSketch(usualOf(state, slot), DECAY_PER_DAY ** days)
  scaleClock(state, slot, DECAY_PER_DAY ** days)
  d[at + T.day] = day
}

/** Conversations beyond each limit, of how many. */
type Votes = { all: number; up: number; down: number; above: number; below: number }

const countVotes = (
  state: SeriesState,
  slot: number,
  { groups, numbers }: Own,
  { driftMin }: Settings
): Votes => {
  const usual = usualOf(state, slot)
  const [low, high] = [quantileBin(usual, 0.25), quantileBin(usual, 0.75)]
  const votes: Votes = { all: 0, up: 0, down: 0, above: 0, below: 0 }
  const { doubles: g } = groups.records
  for (const from of numbers.map(startOf)) {
    const bin = g[from + G.bin]!
    const clusters = g[from + G.clusters]!
    votes.all += clusters
    if (ratioOfBin(bin) > 1 + driftMin) votes.up += clusters
    if (ratioOfBin(bin) < 1 - driftMin) votes.down += clusters
    if (bin > high) votes.above += clusters
    if (bin < low) votes.below += clusters
  }
  const scale = Math.min(1, CLUSTERS_PER_MINUTE_MAX / votes.all)
  for (const name of Object.keys(votes) as (keyof Votes)[]) votes[name] *= scale
  return votes
}

const betOnLevel = (d: Float64Array, at: number, votes: Votes, settings: Settings): void => {
  if (d[at + T.clusters]! > settings.levelClustersMax) return
  for (const [index, share] of LEVEL_SHARES.entries()) {
    d[at + T.levelUp + index]! += voteNats(against(votes.all, votes.up), HALF, share)
    d[at + T.levelDown + index]! += voteNats(against(votes.all, votes.down), HALF, share)
  }
}

const betOnChange = (
  d: Float64Array,
  at: number,
  votes: Votes,
  usual: { above: number; below: number }
): void => {
  for (const [index, share] of CHANGE_SHARES.entries()) {
    const sides = [
      [T.changeUp + index, votes.above, usual.above + MIX_SHARE],
      [T.changeDown + index, votes.below, usual.below + MIX_SHARE]
    ] as const
    for (const [offset, yes, chance] of sides) {
      const nats = voteNats(against(votes.all, yes), chance, alternativeTo(chance, share))
      d[at + offset] = Math.max(0, d[at + offset]! + Math.min(CAP_NATS, nats))
    }
  }
}

/** As far between chance and all calls as `share` is between a quartile's own and all. */
const alternativeTo = (chance: number, share: number): number =>
  chance + ((share - QUARTILE_CHANCE) / (1 - QUARTILE_CHANCE)) * (1 - chance)

const against = (all: number, yes: number) => ({ yes, no: all - yes })

export const levelEvidence = (d: Float64Array, at: number): number =>
  Math.max(
    mixNats(d.subarray(at + T.levelUp, at + T.levelUp + LEVEL_SHARES.length)),
    mixNats(d.subarray(at + T.levelDown, at + T.levelDown + LEVEL_SHARES.length))
  )

/** The strongest bet on a change; 0 when none stands. */
export const changeEvidence = (d: Float64Array, at: number): number => {
  let strongest = 0
  const first = at + T.changeUp
  for (let i = first; i < first + 2 * CHANGE_SHARES.length; i++) {
    strongest = Math.max(strongest, d[i]!)
  }
  return strongest
}

const clearRecent = (state: SeriesState, slot: number, ms: number): void => {
  const d = state.records.doubles
  const at = slot * SHAPE.doubles + T.recent
  clearSketch(recentOf(state, slot))
  d.fill(0, at, at + SUMS + 1)
  // This minute's calls are none of them: what is recent begins with the next one.
  d[at] = ms + MINUTE_MS
}

const ADDED = [G.l, G.r, G.ll, G.rr, G.lr, G.extra, G.n] as const

const learn = (
  state: SeriesState,
  slot: number,
  { groups, numbers }: Own,
  changeNats: number
): void => {
  const d = state.records.doubles
  const at = slot * SHAPE.doubles
  const { doubles: g } = groups.records
  const isSuspect = changeNats > SUSPEND_NATS
  for (const from of numbers.map(startOf)) {
    const clusters = g[from + G.clusters]!
    const bin = g[from + G.bin]!
    if (!isSuspect) addRatio(usualOf(state, slot), bin, clusters)
    if (changeNats > 0) addRatio(recentOf(state, slot), bin, clusters)
    d[at + T.calls]! += g[from + G.n]!
    d[at + T.clusters]! += clusters
    for (const [index, offset] of ADDED.entries()) {
      d[at + T.l + index]! += g[from + offset]!
      if (changeNats > 0) d[at + T.recent + 1 + index]! += g[from + offset]!
    }
  }
}

/** The recent calls become what is usual; a finding only when they differ by enough. */
const endChange = (state: SeriesState, slot: number, settings: Settings): Outcome => {
  const before = quantileInterval(usualOf(state, slot), HALF)
  const after = quantileInterval(recentOf(state, slot), HALF)
  const isApart = after.low > before.high || after.high < before.low
  const isLarge = Math.abs(after.mid - before.mid) >= settings.effectMin
  if (isApart && isLarge) return 'changed'
  adopt(state, slot)
  return 'nothing'
}

/** Takes the recent calls for usual from now on. */
export const adopt = (state: SeriesState, slot: number): void => {
  const d = state.records.doubles
  const at = slot * SHAPE.doubles
  copySketch(recentOf(state, slot), usualOf(state, slot))
  d.copyWithin(at + T.since, at + T.recent, at + T.recent + SUMS + 1)
  d.fill(0, at + T.changeUp, at + T.changeUp + 2 * CHANGE_SHARES.length)
  clearClock(state, slot)
}
