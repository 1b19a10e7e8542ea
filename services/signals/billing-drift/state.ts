import type { Draft } from '../define.ts'
import { pack, unpack } from '../statistics/checkpoint.ts'
import type { Side } from './hypotheses.ts'
import type { Settings } from './settings.ts'
import { emptyTally, type Tally } from './tally.ts'

/** All that the fold remembers, and how it becomes bytes and back. */

export type SeriesName = {
  provider: string | null
  model: string | null
  emitter: string | null
}

export type Cause = {
  cause: string
  side: Side
  tokenClass: string
  tally: Tally
  /** Differing calls of the series before the minute in which this cause came up. */
  differingBefore: number
  /** The finding that is open for it; null before it opens and after it resolves. */
  open: Draft | null
}

/** Calls that only a part of a class explains, until it is known of which class. */
export type Pending = {
  all: Tally
  differingBefore: number
  candidates: Record<string, { cause: string; side: Side; tokenClass: string; tally: Tally }>
}

export type Series = {
  name: SeriesName
  compared: number
  meteredPico: number
  differing: number
  /** Agreeing calls since the last differing one. */
  agreeing: number
  firstMs: number
  lastMs: number
  causes: Record<string, Cause>
  pending: Pending
}

export type State = { settings: Settings; series: Map<string, Series> }

export const createState = (settings: Settings): State => ({ settings, series: new Map() })

export const emptyPending = (): Pending => ({
  all: emptyTally(),
  differingBefore: 0,
  candidates: {}
})

/** Series kept at most: far more models and emitters than anyone runs. */
const SERIES_MAX = 20_000

export const seriesOf = (state: State, name: SeriesName, ms: number): Series => {
  const key = JSON.stringify([name.provider, name.model, name.emitter])
  const known = state.series.get(key)
  if (known !== undefined) return known
  if (state.series.size >= SERIES_MAX) evict(state)
  const series: Series = {
    name,
    compared: 0,
    meteredPico: 0,
    differing: 0,
    agreeing: 0,
    firstMs: ms,
    lastMs: ms,
    causes: {},
    pending: emptyPending()
  }
  state.series.set(key, series)
  return series
}

/** Forgets the series that was quiet longest; the first of equals. */
const evict = ({ series }: State): void => {
  let oldest: string | null = null
  for (const [key, { lastMs }] of series) {
    if (oldest === null || lastMs < (series.get(oldest)?.lastMs ?? 0)) oldest = key
  }
  if (oldest !== null) series.delete(oldest)
}

/** Raised whenever the meaning of a saved field changes: an older state then starts afresh. */
const VERSION = 1

export const saveState = ({ series }: State): Uint8Array =>
  pack({ version: VERSION, series: [...series] }, [])

export const restoreState = (saved: Uint8Array, settings: Settings): State => {
  const { header } = unpack(saved) as { header: { version: number; series: [string, Series][] } }
  const state = createState(settings)
  if (header.version === VERSION) state.series = new Map(header.series)
  for (const { pending, causes } of state.series.values()) {
    const candidates = Object.values(pending.candidates)
    for (const { tally } of [...candidates, ...Object.values(causes)]) revive(tally)
    revive(pending.all)
  }
  return state
}

/** JSON writes Infinity as null. */
const revive = (tally: Tally): void => {
  tally.firstMs ??= Infinity
}
