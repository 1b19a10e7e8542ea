import type { Draft } from '../define.ts'
import { perSeriesCount } from '../statistics/false-alarm-budget.ts'
import type { RiseSettings } from '../statistics/rise-detector.ts'
import { R, RISE_SHAPE } from '../statistics/rise-record.ts'
import { createSlots, type Slots } from '../statistics/series-slots.ts'
import { defineCheckpoint, mapPart, slotsPart } from '../statistics/state-parts.ts'
import { WEEK_BINS } from './clock.ts'
import { LOAD_END } from './load.ts'
import { riseSettings, type Settings } from './settings.ts'

/** A rising share, and behind it the week's clock, the daily wave and what counts as slow. */
export const SHAPE = { ...RISE_SHAPE, doubles: LOAD_END, bytes: WEEK_BINS }

export type State = {
  settings: Settings
  slots: Slots
  /** Changes that are open, by key of the series. */
  open: Map<string, Draft>
  /** Daily waves of quality that are told, by key of the series. */
  waves: Map<string, Draft>
  /** The running minute, by slot. */
  minute: MinuteCounts
  limitsOf: (series: number) => Limits
}

/** Limits of a tenant with so many series; until each weekday was seen nothing is evidence. */
export type Limits = Readonly<Record<'latency' | 'quality' | 'learning', RiseSettings>>

/** Trials and bad ones by slot, and the slots that had any rows. */
export type MinuteCounts = {
  n: Float64Array
  k: Float64Array
  isTouched: Uint8Array
  touched: number[]
}

const createMinute = (slots: number): MinuteCounts => ({
  n: new Float64Array(slots),
  k: new Float64Array(slots),
  isTouched: new Uint8Array(slots),
  touched: []
})

/** Notes that a slot has rows in the running minute. */
export const touchSlot = (state: State, slot: number): MinuteCounts => {
  const { minute, slots } = state
  if (slot >= minute.n.length) {
    const larger = createMinute(2 * slots.records.size)
    for (const name of ['n', 'k', 'isTouched'] as const) larger[name].set(minute[name])
    larger.touched = minute.touched
    state.minute = larger
  }
  const { isTouched, touched } = state.minute
  if (isTouched[slot] === 0) {
    isTouched[slot] = 1
    touched.push(slot)
  }
  return state.minute
}

/** The counts of a slot, which are then none. */
export const takeCounts = ({ n, k, isTouched }: MinuteCounts, slot: number): Counts => {
  const counts = { n: n[slot]!, k: k[slot]! }
  n[slot] = k[slot] = isTouched[slot] = 0
  return counts
}

export type Counts = { n: number; k: number }

export const createState = (settings: Settings): State => ({
  settings,
  slots: createSlots(SHAPE, R.lastMs),
  open: new Map(),
  waves: new Map(),
  minute: createMinute(0),
  limitsOf: perSeriesCount((series) => {
    const latency = riseSettings(settings, { series, isLatency: true })
    const quality = riseSettings(settings, { series, isLatency: false })
    return { latency, quality, learning: { ...quality, armWindows: Infinity } }
  })
})

export const { saveState, restoreState } = defineCheckpoint(4, createState, {
  slots: slotsPart,
  open: mapPart(),
  waves: mapPart()
})
