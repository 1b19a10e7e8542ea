import type { Draft } from '../define.ts'
import { pack, unpack } from '../statistics/checkpoint.ts'
import { createRecent, type Recent } from '../statistics/recent.ts'
import type { SavedSlots } from '../statistics/series-slots.ts'
import type { Parents } from '../statistics/share-parents.ts'
import {
  createShares,
  restoreShares,
  saveShares,
  shareArrays,
  type WatchedShares
} from '../statistics/watched-shares.ts'
import type { Hazard } from './hazard.ts'
import type { Loop } from './loops.ts'
import type { Settings } from './settings.ts'

/** All that the fold remembers, and how it becomes bytes and back. */

export type State = {
  settings: Settings
  shares: WatchedShares
  parents: Parents
  /** Operations and shapes that were called lately. */
  loops: Recent<Loop>
  /** How each tenant's clients retry. */
  hazards: Recent<Hazard>
  /** Findings that are open, by name of the series. */
  open: Map<string, Draft>
}

/** Operations followed at once: a few megabytes. */
const LOOPS_MAX = 16_384
/** Tenants whose habits are kept: six times the ten thousand that one machine serves. */
const TENANTS_MAX = 65_536
const TENANT_IDLE_MS = 40 * 86_400_000
const MINUTE_MS = 60_000

export const createState = (settings: Settings): State => ({
  settings,
  shares: createShares(),
  parents: new Map(),
  loops: createRecent(LOOPS_MAX, settings.quietMinutes * MINUTE_MS),
  hazards: createRecent(TENANTS_MAX, TENANT_IDLE_MS),
  open: new Map()
})

/** Raised whenever the meaning of a saved field changes: an older state then starts afresh. */
const VERSION = 1

type Header = {
  version: number
  shares: SavedSlots
  loops: [string, Loop][]
  hazards: [string, Hazard][]
  open: [string, Draft][]
}

export const saveState = ({ shares, loops, hazards, open }: State): Uint8Array => {
  const header: Header = {
    version: VERSION,
    shares: saveShares(shares),
    loops: [...loops.entries],
    hazards: [...hazards.entries],
    open: [...open]
  }
  return pack(header, shareArrays(shares))
}

export const restoreState = (saved: Uint8Array, settings: Settings): State => {
  const { header, arrays } = unpack(saved) as {
    header: Header
    arrays: ReturnType<typeof shareArrays>
  }
  const state = createState(settings)
  if (header.version !== VERSION) return state
  state.shares = restoreShares(header.shares, arrays)
  state.loops.entries = new Map(header.loops)
  state.hazards.entries = new Map(header.hazards)
  state.open = new Map(header.open)
  return state
}
