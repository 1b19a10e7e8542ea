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
import { SHAPE } from './series.ts'
import type { Settings } from './settings.ts'
import type { PathTimes } from './stages.ts'
import type { OpenTrace, OpenTraces } from './traces.ts'

export type State = {
  settings: Settings
  slots: Slots
  traces: OpenTraces
  /** Stage times by key of the path's series. */
  times: Map<string, PathTimes>
  /** Findings that are open, by key of the series. */
  open: Map<string, Draft>
  /** The same for refusals that are slower than answers. */
  slower: Map<string, Draft>
}

export const createState = (settings: Settings): State => ({
  settings,
  slots: createSlots(SHAPE, R.lastMs),
  traces: new Map(),
  times: new Map(),
  open: new Map(),
  slower: new Map()
})

/** Raised whenever the meaning of a saved field changes: an older state then starts afresh. */
const VERSION = 2

type Header = {
  version: number
  slots: SavedSlots
  traces: [number, OpenTrace][]
  times: [string, PathTimes][]
  open: [string, Draft][]
  slower: [string, Draft][]
}

export const saveState = (state: State): Uint8Array => {
  const header: Header = {
    version: VERSION,
    slots: saveSlots(state.slots),
    traces: [...state.traces],
    times: [...state.times],
    open: [...state.open],
    slower: [...state.slower]
  }
  return pack(header, slotArrays(state.slots))
}

export const restoreState = (saved: Uint8Array, settings: Settings): State => {
  const { header, arrays } = unpack(saved) as {
    header: Header
    arrays: ReturnType<typeof unpack>['arrays']
  }
  const state = createState(settings)
  if (header.version !== VERSION) return state
  restoreSlots(state.slots, header.slots, arrays)
  state.traces = new Map(header.traces)
  state.times = new Map(header.times)
  state.open = new Map(header.open)
  state.slower = new Map(header.slower)
  return state
}
