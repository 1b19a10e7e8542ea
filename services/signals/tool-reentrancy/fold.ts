import type { Columns, Draft, Minute } from '../define.ts'
import { dropIdle, remember } from '../statistics/recent.ts'
import { openLoop, resolveQuiet } from './incidents.ts'
import { readStep } from './step.ts'
import { followStep, type Trace } from './trace.ts'
import { takeIdle, traceFor } from './traces.ts'
import type { State } from './state.ts'

export const beginMinute = (state: State, startMs: number): Draft[] => {
  for (const trace of takeIdle(state.traces, startMs)) endTrace(state, trace)
  dropIdle(state.habits, startMs)
  return []
}

/** One closed minute: incidents without loops are over. */
export const foldMinute = (state: State, { startMs }: Minute): Draft[] =>
  resolveQuiet(state, startMs)

/** Steps into their traces, loops into incidents. */
export const follow = (state: State, columns: Columns, minuteMs: number): Draft[] => {
  const drafts: Draft[] = []
  const usual = (tenant: string, loop: string): number => usualTimes(state, tenant, loop)
  for (let row = 0; row < columns.rows; row++) {
    const step = readStep(columns, row, { minuteMs, seen: state.seen })
    const { tenant } = step.of
    const trace = traceFor(state.traces, { identity: step.trace, tenant, ms: step.ms })
    const loop = followStep(trace, step, state.settings, usual)
    if (loop !== null) drafts.push(...openLoop(state, { step, trace, loop, minuteMs }))
  }
  return drafts
}

const habitKey = (tenant: string, loop: string): string => `${tenant}\u001f${loop}`

/** Twice of what the tenant's own loops of the kind come to before they end by themselves. */
const usualTimes = ({ habits, settings }: State, tenant: string, loop: string): number => {
  const habit = habits.entries.get(habitKey(tenant, loop))
  return habit === undefined || habit.ended < settings.habitAfter ? 0 : 2 * habit.timesMax
}

/** A trace that ended: its loops came to an end without anybody's help. */
const endTrace = ({ habits }: State, { tenant, loops, lastMs }: Trace): void => {
  for (const [name, { times }] of loops) {
    const key = habitKey(tenant, name)
    const known = habits.entries.get(key)
    remember(habits, key, {
      lastMs,
      ended: (known?.ended ?? 0) + 1,
      timesMax: Math.max(known?.timesMax ?? 0, times)
    })
  }
}
