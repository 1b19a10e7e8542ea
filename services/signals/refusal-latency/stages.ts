import type { Stage } from './critical-path.ts'

/** What each stage usually takes on a path, what it takes lately, and who waits for the tail. */

export type StageTimes = { stage: string; usualMs: number; recentMs: number }
export type Payer = { who: string; overMs: number; traces: number }
export type PathTimes = { traces: number; stages: StageTimes[]; payers: Payer[] }

/** Stages and payers that a finding names: what fits on a screen at night. */
const STAGES_MAX = 8
/** The first few carry most of the tail. */
const PAYERS_MAX = 3
/** Traces that "lately" and "usually" span. */
const RECENT_TRACES = 20
const USUAL_TRACES = 400

export const noTimes = (): PathTimes => ({ traces: 0, stages: [], payers: [] })

/** Adds a trace; `isUsual` says that nothing is under suspicion. */
export const addStages = (times: PathTimes, stages: readonly Stage[], isUsual: boolean): void => {
  times.traces += 1
  const recent = 1 / Math.min(times.traces, RECENT_TRACES)
  const usual = isUsual ? 1 / Math.min(times.traces, USUAL_TRACES) : 0
  for (const { stage } of stages) {
    const known = times.stages.some((one) => one.stage === stage)
    if (known || times.stages.length >= STAGES_MAX) continue
    times.stages.push({ stage, usualMs: 0, recentMs: 0 })
  }
  for (const one of times.stages) {
    const ms = stages.find(({ stage }) => stage === one.stage)?.ms ?? 0
    one.recentMs += recent * (ms - one.recentMs)
    one.usualMs += usual * (ms - one.usualMs)
  }
}

/** Milliseconds beyond the budget by end user: the heaviest few (Misra and Gries, 1982). */
export const addPayer = (times: PathTimes, who: string, overMs: number): void => {
  const known = times.payers.find((payer) => payer.who === who)
  if (known !== undefined) {
    known.overMs += overMs
    known.traces += 1
    return
  }
  if (times.payers.length < PAYERS_MAX) {
    times.payers.push({ who, overMs, traces: 1 })
    return
  }
  const least = Math.min(overMs, ...times.payers.map((payer) => payer.overMs))
  times.payers = times.payers
    .map((payer) => ({ ...payer, overMs: payer.overMs - least }))
    .filter((payer) => payer.overMs > 0)
}

/** Stages by how much longer they take than usual. */
export const slowestStages = ({ stages }: PathTimes): StageTimes[] =>
  [...stages].sort((a, b) => b.recentMs - b.usualMs - (a.recentMs - a.usualMs))
