import type { Draft } from '../define.ts'
import { createRecent, type Recent } from '../statistics/recent.ts'
import { defineCheckpoint, mapPart, recentPart } from '../statistics/state-parts.ts'
import type { Settings } from './settings.ts'
import type { StepSeries } from './step.ts'
import { createTraces, tracesPart, type Traces } from './traces.ts'

/** All that the fold remembers, and how it becomes bytes and back. */

export type Incident = {
  lastMs: number
  draft: Draft
  traces: string[]
  loops: number
}

/** Loops of a kind that ended by themselves: how many, and how long the longest was. */
export type Habit = { lastMs: number; ended: number; timesMax: number }

export type State = {
  settings: Settings
  traces: Traces
  incidents: Map<string, Incident>
  habits: Recent<Habit>
  /** What the series of this run stand for. */
  seen: StepSeries[]
}

/** Traces followed at once: some tens of megabytes at most. */
const TRACES_MAX = 16_384
/** A trace without a step for this long has ended. */
const TRACE_IDLE_MS = 30 * 60_000
/** Habits kept over all tenants. */
const HABITS_MAX = 4096
const HABIT_IDLE_MS = 14 * 86_400_000

export const createState = (settings: Settings): State => ({
  settings,
  traces: createTraces(TRACES_MAX, TRACE_IDLE_MS),
  incidents: new Map(),
  habits: createRecent(HABITS_MAX, HABIT_IDLE_MS),
  seen: []
})

export const { saveState, restoreState } = defineCheckpoint(4, createState, {
  traces: tracesPart,
  incidents: mapPart(),
  habits: recentPart()
})
