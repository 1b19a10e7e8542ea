import type { Draft } from '../define.ts'
import { pack, unpack } from '../statistics/checkpoint.ts'
import { createRecent, type Recent } from '../statistics/recent.ts'
import type { SavedSlots } from '../statistics/series-slots.ts'
import {
  createShares,
  restoreShares,
  saveShares,
  shareArrays,
  type WatchedShares
} from '../statistics/watched-shares.ts'
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

/** Raised whenever the meaning of a saved field changes: an older state then starts afresh. */
const VERSION = 1

type Turns = [string, Turn][]
type Header = {
  version: number
  shares: SavedSlots
  turns: [Turns, Turns, Turns]
  sides: [string, Sides][]
  open: [string, Draft][]
}

export const saveState = (state: State): Uint8Array => {
  const turns = [state.conversations, state.users, state.served].map(({ entries }) => [...entries])
  const header: Header = {
    version: VERSION,
    shares: saveShares(state.shares),
    turns: turns as Header['turns'],
    sides: [...state.sides],
    open: [...state.open]
  }
  return pack(header, shareArrays(state.shares))
}

export const restoreState = (saved: Uint8Array, settings: Settings): State => {
  const { header, arrays } = unpack(saved) as {
    header: Header
    arrays: ReturnType<typeof shareArrays>
  }
  const state = createState(settings)
  if (header.version !== VERSION) return state
  state.shares = restoreShares(header.shares, arrays)
  state.conversations.entries = new Map(header.turns[0])
  state.users.entries = new Map(header.turns[1])
  state.served.entries = new Map(header.turns[2])
  state.sides = new Map(header.sides)
  state.open = new Map(header.open)
  return state
}
