import { dropIdle, remember, type Recent } from '../statistics/recent.ts'

/** Attempts of one operation until its output satisfies the schema, or nobody tries any more. */

export type Loop = {
  lastMs: number
  series: string
  attempts: number
  /** Errors of the failed attempts, the latest last. */
  errors: string[]
}

/** A loop that ended: when, after how many attempts (0 = not known), whether its errors cycled. */
export type EndedLoop = [ms: number, attempts: number, cycled: 0 | 1, error: string]
export type LoopRing = EndedLoop[]

/** Errors kept of one operation: four rounds of a cycle of two. */
const ERRORS_MAX = 8
/** Characters kept of an error: its kind, not its text. */
const ERROR_LENGTH_MAX = 60
/** Loops remembered per series: enough for the errors that a finding tells of. */
const RING_MAX = 16
const UNNAMED = 'unnamed'

export type FailedAttempt = { key: string | null; series: string; error: string | null; ms: number }

export type Loops = { loops: Recent<Loop>; ended: Map<string, LoopRing> }

/** How many attempts of the operation failed before; 0 when it is not known to have failed. */
export const attemptsBefore = ({ loops }: Loops, key: string | null): number =>
  key === null ? 0 : (loops.entries.get(key)?.attempts ?? 0)

export const addFailure = (state: Loops, { key, series, error, ms }: FailedAttempt): void => {
  const word = (error ?? UNNAMED).slice(0, ERROR_LENGTH_MAX)
  if (key === null) return endLoop(state.ended, series, [ms, 0, 0, word])
  const known = state.loops.entries.get(key)
  const errors = [...(known?.errors ?? []), word].slice(-ERRORS_MAX)
  remember(state.loops, key, { lastMs: ms, series, attempts: (known?.attempts ?? 0) + 1, errors })
}

/** The operation got its object. */
export const addSuccess = (state: Loops, key: string | null, ms: number): void => {
  const loop = key === null ? undefined : state.loops.entries.get(key)
  if (key === null || loop === undefined) return
  state.loops.entries.delete(key)
  finish(state.ended, loop, loop.attempts + 1, ms)
}

/** Operations that were given up. */
export const dropLoops = (state: Loops, nowMs: number): void => {
  for (const [, loop] of dropIdle(state.loops, nowMs)) {
    finish(state.ended, loop, loop.attempts, loop.lastMs)
  }
}

const finish = (ended: Loops['ended'], loop: Loop, attempts: number, ms: number): void => {
  const error = loop.errors[0] ?? UNNAMED
  endLoop(ended, loop.series, [ms, attempts, isCycling(loop.errors) ? 1 : 0, error])
}

/** A repair that breaks what the one before had repaired: the error of two attempts ago is back. */
export const isCycling = (errors: readonly string[]): boolean =>
  errors.some((error, i) => i >= 2 && error === errors[i - 2] && error !== errors[i - 1])

const endLoop = (ended: Loops['ended'], series: string, loop: EndedLoop): void => {
  const ring = ended.get(series) ?? []
  ring.push(loop)
  if (ring.length > RING_MAX) ring.shift()
  ended.set(series, ring)
}

/** Loops that ended since, over some series: how long they were and which errors began them. */
export const describeLoops = (rings: readonly LoopRing[], fromMs: number) => {
  const loops = rings.flat().filter(([ms]) => ms >= fromMs)
  const lengths = loops.flatMap(([, attempts]) => (attempts > 0 ? [attempts] : []))
  lengths.sort((a, b) => a - b)
  const errors = new Map<string, number>()
  for (const [, , , error] of loops) errors.set(error, (errors.get(error) ?? 0) + 1)
  return {
    loops: loops.length,
    attemptsP50: lengths[Math.floor(lengths.length / 2)] ?? null,
    attemptsMax: lengths.at(-1) ?? null,
    cycling: loops.filter(([, , cycled]) => cycled === 1).length,
    errors: [...errors].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  }
}
