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
  minute: Map<number, Counts>
  limitsOf: (series: number) => Limits
}

/** Limits of a tenant with so many series; until each weekday was seen nothing is evidence. */
export type Limits = Readonly<Record<'latency' | 'quality' | 'learning', RiseSettings>>

export type Counts = { n: number; k: number }

export const createState = (settings: Settings): State => ({
  settings,
  slots: createSlots(SHAPE, R.lastMs),
  open: new Map(),
  waves: new Map(),
  minute: new Map(),
  limitsOf: perSeriesCount((series) => {
    const latency = riseSettings(settings, { series, isLatency: true })
    const quality = riseSettings(settings, { series, isLatency: false })
    return { latency, quality, learning: { ...quality, armWindows: Infinity } }
  })
})

export const { saveState, restoreState } = defineCheckpoint(2, createState, {
  slots: slotsPart,
  open: mapPart(),
  waves: mapPart()
})
