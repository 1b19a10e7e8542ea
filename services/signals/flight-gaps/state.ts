import type { Draft } from '../define.ts'
import type { Words } from '../statistics/series-slots.ts'
import { createShares, type WatchedShares } from '../statistics/watched-shares.ts'
import { createFlights, flightsPart, type Flights } from './flights.ts'
import { defineCheckpoint, mapPart, sharesPart } from '../statistics/state-parts.ts'
import type { Score } from './scores.ts'
import type { Settings } from './settings.ts'

/** All that the fold remembers, and how it becomes bytes and back. */

export type State = {
  settings: Settings
  shares: WatchedShares
  flights: Flights
  scores: Map<string, Score>
  /** Open findings by tenant, emitter and agent: the fact that opened it, and the finding. */
  open: Map<string, { fact: string; draft: Draft }>
  /** By series of the run and agent: void once series are forgotten. */
  kinds: Map<number, Kind>
  running: Running
}

/** Of the running minute: kinds with steps, and steps whose parent was not seen so far. */
export type Running = { kinds: Set<Kind>; orphans: { kind: Kind; parent: number }[] }

export const noSteps = (): Running => ({ kinds: new Set(), orphans: [] })

/**
 * Steps of one tenant, emitter and agent: their score, the share of each fact, and in how many steps
 * of the running minute it applies and is missing.
 */
export type Kind = {
  words: Words
  score: Score
  slots: Int32Array
  applies: Int32Array
  missing: Int32Array
}
/** A share whose slot was not asked for yet. */
export const NOT_ASKED = -2

export const createState = (settings: Settings): State => ({
  settings,
  shares: createShares(),
  flights: createFlights(),
  scores: new Map(),
  open: new Map(),
  kinds: new Map(),
  running: noSteps()
})

export const { saveState, restoreState } = defineCheckpoint(3, createState, {
  shares: sharesPart,
  flights: flightsPart,
  scores: mapPart(),
  open: mapPart()
})
