import type { Draft } from '../define.ts'
import { createRecent, type Recent } from '../statistics/recent.ts'
import { createShares, type WatchedShares } from '../statistics/watched-shares.ts'
import { defineCheckpoint, mapPart, recentPart, sharesPart } from '../statistics/state-parts.ts'
import type { ModelIndex, Request } from './decisions.ts'
import type { Settings } from './settings.ts'
import type { Sides } from './sides.ts'
import type { Turn } from './turns.ts'

/** All that the fold remembers, and how it becomes bytes and back. */

export type State = {
  settings: Settings
  shares: WatchedShares
  /** Latest model by conversation and request, and by end user and request. */
  conversations: Recent<Turn>
  users: Recent<Turn>
  /** Model that served a conversation last, whatever was asked: what a score is about. */
  served: Recent<Turn>
  /** Models of each tenant, side by side. */
  sides: Map<string, Sides>
  /** Found anew in each run, and after series were dropped. */
  models: ModelIndex | null
  /** Findings that are open, by name of the series. */
  open: Map<string, Draft>
  /** What was asked for in this run, and what each series of it stands for. */
  requests: Map<string, Request>
  ofCode: Series[]
}

export type Series = { request: Request; model: string; isCall: boolean }

/** Conversations and users followed at once: a few megabytes. */
const TURNS_MAX = 16_384
/** Somebody who comes back after this long starts anew. */
const TURN_IDLE_MS = 6 * 3_600_000

export const createState = (settings: Settings): State => ({
  settings,
  shares: createShares(),
  conversations: createRecent(TURNS_MAX, TURN_IDLE_MS),
  users: createRecent(TURNS_MAX, TURN_IDLE_MS),
  served: createRecent(TURNS_MAX, TURN_IDLE_MS),
  sides: new Map(),
  models: null,
  open: new Map(),
  requests: new Map(),
  ofCode: []
})

export const { saveState, restoreState } = defineCheckpoint(2, createState, {
  shares: sharesPart,
  conversations: recentPart(),
  users: recentPart(),
  served: recentPart(),
  sides: mapPart(),
  open: mapPart()
})
