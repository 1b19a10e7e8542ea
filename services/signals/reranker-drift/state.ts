import type { Draft } from '../define.ts'
import { pack, unpack } from '../statistics/checkpoint.ts'
import {
  createSlots,
  restoreSlots,
  saveSlots,
  slotArrays,
  type SavedSlots,
  type Slots
} from '../statistics/series-slots.ts'
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

/** Raised whenever the meaning of a saved field changes: an older state then starts afresh. */
const VERSION = 1

type Header = {
  version: number
  slots: SavedSlots
  served: [string, Served][]
  open: [string, Draft][]
}

export const saveState = ({ slots, served, open }: State): Uint8Array => {
  const header: Header = {
    version: VERSION,
    slots: saveSlots(slots),
    served: [...served],
    open: [...open]
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
  state.served = new Map(header.served)
  state.open = new Map(header.open)
  return state
}
