import { fingerprint } from '../fingerprint.ts'
import { NONE, textOf, type Step } from './step.ts'
import type { Settings } from './settings.ts'

/**
 * Calls that give what they gave before. A state is tool, arguments and result; an agent that
 * comes back to one again and again makes no progress, whatever it calls in between. Polling
 * whose result changes is a new state each time.
 */

export type Call = {
  state: string
  label: string
  ms: number
  endMs: number
  /** Whether the result is part of the state. */
  seen: 0 | 1
  /** Cost and tokens of the trace before this call. */
  costPico: number
  tokens: number
}

/** Calls remembered per agent of a trace: three rounds of a cycle of eight. */
const CALLS_MAX = 24
const STATE_CHARACTERS = 12
/** Longer cycles than this are found by nobody's limit. */
const CYCLE_MAX = 8
/** Rounds of a longer cycle, none of which shows anything new. */
const ROUNDS_MIN = 3

export type Repeat = {
  /** The call that came again. */
  state: string
  labels: string[]
  times: number
  /** The call at which the second round began: what comes after it is waste. */
  second: Call
  first: Call
}

/** Adds a call; false when it says nothing: no arguments, or beside an equal one still running. */
export const addCall = (
  calls: Call[],
  step: Step,
  total: { costPico: number; tokens: number }
): boolean => {
  if (step.args === NONE) return false
  const { label } = step.of
  const [args, result] = [textOf(step, 'args'), textOf(step, 'result')]
  const state = fingerprint(label, args, result).slice(0, STATE_CHARACTERS)
  if (calls.some((call) => call.state === state && call.endMs > step.ms)) return false
  const seen = result === null ? 0 : 1
  calls.push({ state, label, ms: step.ms, endMs: step.endMs, seen, ...total })
  if (calls.length > CALLS_MAX) calls.shift()
  return true
}

/** The repetition that the latest call completes, if it does. */
export const findRepeat = (calls: readonly Call[], settings: Settings): Repeat | null =>
  sameState(calls, settings) ?? longCycle(calls)

const sameState = (calls: readonly Call[], settings: Settings): Repeat | null => {
  const latest = calls.at(-1)
  if (latest === undefined) return null
  const needed = latest.seen === 1 ? settings.repeatsMin : settings.repeatsBlindMin
  const span = 1 + (needed - 1) * settings.stepsBetweenMax
  const near = calls.slice(-span)
  const times = near.filter(({ state }) => state === latest.state)
  if (times.length < needed) return null
  const from = near.indexOf(times[0]!)
  const between = near.slice(from).filter(({ state }, _, all) => isSeenTwice(all, state))
  return {
    state: latest.state,
    labels: labelsOf(between),
    times: times.length,
    first: times[0]!,
    second: times[1]!
  }
}

const isSeenTwice = (calls: readonly Call[], state: string): boolean =>
  calls.filter((call) => call.state === state).length > 1

/** The last calls visit only so many states that each had its turn three times over. */
const longCycle = (calls: readonly Call[]): Repeat | null => {
  const states = new Set<string>()
  for (let length = 1; length <= calls.length; length++) {
    const call = calls[calls.length - length]!
    if (call.seen === 0) return null
    states.add(call.state)
    if (states.size > CYCLE_MAX) return null
    if (length < ROUNDS_MIN * states.size || length < ROUNDS_MIN) continue
    const round = calls.slice(-length)
    return {
      state: calls.at(-1)!.state,
      labels: labelsOf(round),
      times: Math.floor(length / states.size),
      first: call,
      second: round[states.size]!
    }
  }
  return null
}

const labelsOf = (calls: readonly Call[]): string[] => [...new Set(calls.map(({ label }) => label))]
