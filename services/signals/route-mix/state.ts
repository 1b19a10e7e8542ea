import type { Draft } from '../define.ts'
import { createShares, type WatchedShares } from '../statistics/watched-shares.ts'
import { defineCheckpoint, mapPart, sharesPart } from '../statistics/state-parts.ts'
import type { Decisions, ModelIndex, Request, Served } from './decisions.ts'
import type { Settings } from './settings.ts'
import type { Sides } from './sides.ts'
import { createSwitches, type Switches, type TenantSwitches } from './switches.ts'
import {
  createModels,
  createTurns,
  modelsPart,
  turnsPart,
  type ModelNames,
  type Turns
} from './turns.ts'

/** All that the fold remembers, and how it becomes bytes and back. */

export type State = {
  settings: Settings
  shares: WatchedShares
  /** Latest model by conversation and request, and by end user and request. */
  conversations: Turns
  users: Turns
  /** Model that served a conversation last, whatever was asked: what a score is about. */
  served: Turns
  /** Names of the models in turns. */
  modelNames: ModelNames
  /** Models of each tenant, side by side. */
  sides: Map<string, Sides>
  /** Found anew in each run, and after series were dropped. */
  models: ModelIndex | null
  /** Findings that are open, by name of the series. */
  open: Map<string, Draft>
  /** What was asked for in this run, and what each series of it stands for. */
  requests: Map<string, Request>
  switches: Switches
  ofCode: Series[]
  decisions: Decisions
}

export type Series = {
  request: Request
  served: Served
  modelNumber: number
  /** Identity of the tenant, and of what was asked of whom. */
  tenantIdentity: number
  askedIdentity: number
  switches: TenantSwitches
  isCall: boolean
}

/** Conversations and users followed at once: a few megabytes. */
const TURNS_MAX = 16_384
/** Somebody who comes back after this long starts anew. */
const TURN_IDLE_MS = 6 * 3_600_000

export const createState = (settings: Settings): State => ({
  settings,
  shares: createShares(),
  conversations: createTurns(TURNS_MAX, TURN_IDLE_MS),
  users: createTurns(TURNS_MAX, TURN_IDLE_MS),
  served: createTurns(TURNS_MAX, TURN_IDLE_MS),
  modelNames: createModels(),
  sides: new Map(),
  models: null,
  open: new Map(),
  requests: new Map(),
  switches: createSwitches(),
  ofCode: [],
  decisions: []
})

export const { saveState, restoreState } = defineCheckpoint(3, createState, {
  shares: sharesPart,
  conversations: turnsPart,
  users: turnsPart,
  served: turnsPart,
  modelNames: modelsPart,
  sides: mapPart(),
  open: mapPart()
})
