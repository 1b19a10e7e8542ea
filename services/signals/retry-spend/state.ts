import type { Draft } from '../define.ts'
import { createRecent, type Recent } from '../statistics/recent.ts'
import type { Parents } from '../statistics/share-parents.ts'
import { createShares, type WatchedShares } from '../statistics/watched-shares.ts'
import { defineCheckpoint, mapPart, recentPart, sharesPart } from '../statistics/state-parts.ts'
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

export const { saveState, restoreState } = defineCheckpoint(2, createState, {
  shares: sharesPart,
  loops: recentPart(),
  hazards: recentPart(),
  open: mapPart()
})
