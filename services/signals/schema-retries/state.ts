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
import type { Loop, LoopRing } from './loops.ts'
import type { Settings } from './settings.ts'

/** All that the fold remembers, and how it becomes bytes and back. */

export type State = {
  settings: Settings
  shares: WatchedShares
  /** Operations whose latest attempt failed, by tenant and operation. */
  loops: Recent<Loop>
  /** Loops that ended lately, by name of the series. */
  ended: Map<string, LoopRing>
  /** Findings that are open, by name of the series. */
  open: Map<string, Draft>
  parents: Parents
  /** What the rows of this run come from. */
  grain: 'window' | 'traces' | null
}

/** Operations followed at once: a few megabytes. */
const LOOPS_MAX = 8192
/** An operation that was not tried again for this long was given up. */
const LOOP_IDLE_MS = 15 * 60_000

export const createState = (settings: Settings): State => ({
  settings,
  shares: createShares(),
  loops: createRecent(LOOPS_MAX, LOOP_IDLE_MS),
  ended: new Map(),
  open: new Map(),
  parents: new Map(),
  grain: null
})

/** Raised whenever the meaning of a saved field changes: an older state then starts afresh. */
const VERSION = 1

type Header = {
  version: number
  shares: SavedSlots
  loops: [string, Loop][]
  ended: [string, LoopRing][]
  open: [string, Draft][]
}

export const saveState = ({ shares, loops, ended, open }: State): Uint8Array => {
  const header: Header = {
    version: VERSION,
    shares: saveShares(shares),
    loops: [...loops.entries],
    ended: [...ended],
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
  state.ended = new Map(header.ended)
  state.open = new Map(header.open)
  return state
}
