import type { Draft } from '../define.ts'
import { R } from '../statistics/rise-record.ts'
import { createSlots, type Slots } from '../statistics/series-slots.ts'
import { defineCheckpoint, mapPart, slotsPart } from '../statistics/state-parts.ts'
import { tracesPart } from './traces-part.ts'
import { SHAPE, type Tally } from './series.ts'
import type { Settings } from './settings.ts'
import type { PathTimes } from './stages.ts'
import { createOpenTraces, type OpenTraces } from './traces.ts'

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
  /** Of the running minute, by series: paths of the traces that were over when it began. */
  tallies: Map<number, Tally>
}

export const createState = (settings: Settings): State => ({
  settings,
  slots: createSlots(SHAPE, R.lastMs),
  traces: createOpenTraces(),
  times: new Map(),
  open: new Map(),
  slower: new Map(),
  tallies: new Map()
})

export const { saveState, restoreState } = defineCheckpoint(6, createState, {
  slots: slotsPart,
  traces: tracesPart,
  times: mapPart(),
  open: mapPart(),
  slower: mapPart()
})
