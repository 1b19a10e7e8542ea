import { createRecords, layout, type Records } from '../statistics/records.ts'
import { addRecord } from '../statistics/records.ts'
import { RATIO_BINS, type Sketch } from '../statistics/ratio-sketch.ts'

/** What is remembered of one series: how reported and local counts of its calls compare. */

/** What is compared, in the order of their names. */
export const SIDES = ['in', 'limit', 'out'] as const
export type Side = (typeof SIDES)[number]

export type SeriesName = {
  provider: string | null
  model: string | null
  tokenizer: string | null
  script: string | null
  side: Side
}

/** Stands for every model of a provider, where single ones have too few calls to judge. */
export const ALL_MODELS = '*'

/** Alternatives for the share of calls beyond a limit, when a level or a change is bet on. */
export const LEVEL_SHARES = [0.65, 0.8, 0.95] as const
export const CHANGE_SHARES = [0.6, 0.85] as const

const doubles = layout({
  firstMs: 1,
  lastMs: 1,
  day: 1,
  calls: 1,
  clusters: 1,
  /** Since `since`: Σl, Σr, Σl², Σr², Σlr, Σ extra pico-dollars, calls. */
  since: 1,
  l: 1,
  r: 1,
  ll: 1,
  rr: 1,
  lr: 1,
  extra: 1,
  sinceCalls: 1,
  /** The same since the running evidence of a change left zero, with its time. */
  recent: 8,
  levelUp: LEVEL_SHARES.length,
  levelDown: LEVEL_SHARES.length,
  changeUp: CHANGE_SHARES.length,
  changeDown: CHANGE_SHARES.length,
  /** Calls that came within the margin of their context limit, and the latest. */
  nearLimit: 1,
  nearLimitMs: 1
})

/** Stretches of the day that have votes of their own: the mix of texts follows the clock. */
export const CLOCK_STRETCHES = 8
/** Conversations of a stretch: all, above the usual quartiles, below them. */
export const CLOCK_COUNTS = 3

const floats = layout({
  usual: RATIO_BINS,
  recent: RATIO_BINS,
  clock: CLOCK_STRETCHES * CLOCK_COUNTS
})

export const T = doubles.at
export const F = floats.at
/** Offsets of l, r, ll, rr, lr, extra, calls: the same order in both stretches. */
export const SUMS = 7

export const SHAPE = { doubles: doubles.length, floats: floats.length, bytes: 0 }

export type SeriesState = { records: Records; names: SeriesName[]; slots: Map<string, number> }

export const createSeries = (): SeriesState => ({
  records: createRecords(SHAPE),
  names: [],
  slots: new Map()
})

export const nameKey = ({ provider, model, tokenizer, script, side }: SeriesName): string =>
  JSON.stringify([provider, model, tokenizer, script, side])

/** Series kept at most: models × tokenizers × scripts of the largest fleets. */
const SERIES_MAX = 20_000

/** The slot of a series; a new one takes the place of the longest idle when there are too many. */
export const slotOf = (state: SeriesState, name: SeriesName, ms: number): number => {
  const key = nameKey(name)
  const known = state.slots.get(key)
  if (known !== undefined) return known
  const slot = state.names.length < SERIES_MAX ? addRecord(state.records) : evict(state)
  state.names[slot] = name
  state.slots.set(key, slot)
  const at = slot * SHAPE.doubles
  state.records.doubles[at + T.firstMs] = ms
  state.records.doubles[at + T.since] = ms
  state.records.doubles[at + T.day] = dayOf(ms)
  return slot
}

const evict = ({ records, names, slots }: SeriesState): number => {
  let oldest = 0
  const lastMs = (slot: number): number => records.doubles[slot * SHAPE.doubles + T.lastMs]!
  for (let slot = 1; slot < names.length; slot++) if (lastMs(slot) < lastMs(oldest)) oldest = slot
  slots.delete(nameKey(names[oldest]!))
  records.doubles.fill(0, oldest * SHAPE.doubles, (oldest + 1) * SHAPE.doubles)
  records.floats.fill(0, oldest * SHAPE.floats, (oldest + 1) * SHAPE.floats)
  return oldest
}

export const DAY_MS = 86_400_000
export const dayOf = (ms: number): number => Math.floor(ms / DAY_MS)

export const usualOf = ({ records }: SeriesState, slot: number): Sketch => ({
  floats: records.floats,
  at: slot * SHAPE.floats + F.usual
})

export const recentOf = ({ records }: SeriesState, slot: number): Sketch => ({
  floats: records.floats,
  at: slot * SHAPE.floats + F.recent
})
