import type { Draft } from '../define.ts'
import { createRecent, type Recent } from '../statistics/recent.ts'
import type { Parents } from '../statistics/share-parents.ts'
import { createShares, type WatchedShares } from '../statistics/watched-shares.ts'
import { defineCheckpoint, mapPart, recentPart, sharesPart } from '../statistics/state-parts.ts'
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

export const { saveState, restoreState } = defineCheckpoint(2, createState, {
  shares: sharesPart,
  loops: recentPart(),
  ended: mapPart(),
  open: mapPart()
})
