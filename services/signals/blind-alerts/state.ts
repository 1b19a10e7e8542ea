import type { Draft } from '../define.ts'
import { R } from '../statistics/rise-record.ts'
import { createSlots, type Slots } from '../statistics/series-slots.ts'
import { defineCheckpoint, mapPart, slotsPart } from '../statistics/state-parts.ts'
import { SHAPE } from './component.ts'
import type { Settings } from './settings.ts'

export type State = {
  settings: Settings
  slots: Slots
  /** Findings that are open, by key of the component's series. */
  open: Map<string, Draft>
  /** Forwarded alerts that are open, by their own identity, oldest first. */
  alerts: Map<string, Draft>
}

export const createState = (settings: Settings): State => ({
  settings,
  slots: createSlots(SHAPE, R.lastMs),
  open: new Map(),
  alerts: new Map()
})

export const { saveState, restoreState } = defineCheckpoint(4, createState, {
  slots: slotsPart,
  open: mapPart(),
  alerts: mapPart()
})
