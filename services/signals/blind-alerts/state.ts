import type { Draft } from '../define.ts'
import { pack, unpack } from '../statistics/checkpoint.ts'
import { R } from '../statistics/rise-record.ts'
import {
  createSlots,
  restoreSlots,
  saveSlots,
  slotArrays,
  type SavedSlots,
  type Slots
} from '../statistics/series-slots.ts'
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

/** Raised whenever the meaning of a saved field changes: an older state then starts afresh. */
const VERSION = 1

type Header = {
  version: number
  slots: SavedSlots
  open: [string, Draft][]
  alerts: [string, Draft][]
}

export const saveState = ({ slots, open, alerts }: State): Uint8Array => {
  const header: Header = {
    version: VERSION,
    slots: saveSlots(slots),
    open: [...open],
    alerts: [...alerts]
  }
  return pack(header, slotArrays(slots))
}

export const restoreState = (saved: Uint8Array, settings: Settings): State => {
  const { header, arrays } = unpack(saved) as {
    header: Header
    arrays: ReturnType<typeof unpack>['arrays']
  }
  const state = createState(settings)
  if (header.version !== VERSION) return state
  restoreSlots(state.slots, header.slots, arrays)
  state.open = new Map(header.open)
  state.alerts = new Map(header.alerts)
  return state
}
