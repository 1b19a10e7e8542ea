import type { Draft } from '../define.ts'
import { pack, RECORD_ARRAYS, recordArrays, recordsFrom, unpack } from '../statistics/checkpoint.ts'
import { createGroups, type Groups } from './groups.ts'
import { createSeries, nameKey, SHAPE, type SeriesName, type SeriesState } from './series.ts'
import type { Settings } from './settings.ts'

/** All that the fold remembers, and how it becomes bytes and back. */

export type State = {
  settings: Settings
  series: SeriesState
  /** Findings that are open, by slot. */
  open: Map<number, Draft>
  /** Day since the epoch on which idle findings were last looked for. */
  day: number
  running: Groups
}

export const createState = (settings: Settings): State => ({
  settings,
  series: createSeries(),
  open: new Map(),
  day: 0,
  running: createGroups()
})

/** Raised whenever the meaning of a saved field changes: an older state then starts afresh. */
const VERSION = 2

type Header = { version: number; names: SeriesName[]; open: [number, Draft][]; day: number }

export const saveState = ({ series, open, day }: State): Uint8Array => {
  const header: Header = { version: VERSION, names: series.names, open: [...open], day }
  return pack(header, recordArrays(series.records))
}

export const restoreState = (saved: Uint8Array, settings: Settings): State => {
  const { header, arrays } = unpack(saved)
  const { version, names, open, day } = header as Header
  const state = createState(settings)
  if (version !== VERSION) return state
  state.series.records = recordsFrom(SHAPE, names.length, arrays.slice(0, RECORD_ARRAYS))
  state.series.names = names
  state.series.slots = new Map(names.map((name, slot) => [nameKey(name), slot]))
  state.open = new Map(open)
  state.day = day
  return state
}
