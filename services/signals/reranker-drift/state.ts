import type { Draft } from '../define.ts'
import { createSlots, type Slots } from '../statistics/series-slots.ts'
import { defineCheckpoint, mapPart, slotsPart } from '../statistics/state-parts.ts'
import { D, SHAPE } from './record.ts'
import type { Settings } from './settings.ts'

/** What served a reranker's calls lately. */
export type Served = { now: string; before: string; sinceMs: number }

export type State = {
  settings: Settings
  slots: Slots
  /** By key of the series. */
  served: Map<string, Served>
  /** Findings that are open, by key of the series. */
  open: Map<string, Draft>
}

export const createState = (settings: Settings): State => ({
  settings,
  slots: createSlots(SHAPE, D.lastMs),
  served: new Map(),
  open: new Map()
})

export const { saveState, restoreState } = defineCheckpoint(2, createState, {
  slots: slotsPart,
  served: mapPart(),
  open: mapPart()
})
