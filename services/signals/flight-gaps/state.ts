import type { Draft } from '../define.ts'
import { pack, RECORD_ARRAYS, unpack } from '../statistics/checkpoint.ts'
import type { SavedSlots, Words } from '../statistics/series-slots.ts'
import {
  createShares,
  restoreShares,
  saveShares,
  shareArrays,
  type WatchedShares
} from '../statistics/watched-shares.ts'
import {
  createFlights,
  flightArrays,
  restoreFlights,
  saveFlights,
  type Flights,
  type SavedFlights
} from './flights.ts'
import type { Score } from './scores.ts'
import type { Settings } from './settings.ts'

/** All that the fold remembers, and how it becomes bytes and back. */

export type State = {
  settings: Settings
  shares: WatchedShares
  flights: Flights
  scores: Map<string, Score>
  /** Open findings by tenant, emitter and agent: the fact that opened it, and the finding. */
  open: Map<string, { fact: string; draft: Draft }>
  /** By series of the run and agent: void once series are forgotten. */
  kinds: Map<number, Kind>
}

/** Steps of one tenant, emitter and agent: their score, and the share of each fact. */
export type Kind = { words: Words; score: Score; slots: Int32Array }
/** A share whose slot was not asked for yet. */
export const NOT_ASKED = -2

export const createState = (settings: Settings): State => ({
  settings,
  shares: createShares(),
  flights: createFlights(),
  scores: new Map(),
  open: new Map(),
  kinds: new Map()
})

/** Raised whenever the meaning of a saved field changes: an older state then starts afresh. */
const VERSION = 2

type Header = {
  version: number
  shares: SavedSlots
  flights: SavedFlights
  scores: [string, Score][]
  open: [string, { fact: string; draft: Draft }][]
}

export const saveState = ({ shares, flights, scores, open }: State): Uint8Array => {
  const header: Header = {
    version: VERSION,
    shares: saveShares(shares),
    flights: saveFlights(flights),
    scores: [...scores],
    open: [...open]
  }
  return pack(header, [...shareArrays(shares), ...flightArrays(flights)])
}

export const restoreState = (saved: Uint8Array, settings: Settings): State => {
  const { header, arrays } = unpack(saved)
  const { version, shares, flights, scores, open } = header as Header
  if (version !== VERSION) return createState(settings)
  return {
    settings,
    shares: restoreShares(shares, arrays.slice(0, RECORD_ARRAYS)),
    flights: restoreFlights(flights, arrays.slice(RECORD_ARRAYS)),
    scores: new Map(scores),
    open: new Map(open),
    kinds: new Map()
  }
}
