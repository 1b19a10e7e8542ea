import { addSpan, recursionOf, scopeOf, type Span } from './tree.ts'
import { addCall, findRepeat, type Call } from './repeats.ts'
import { isCall, type Step } from './step.ts'
import type { Settings } from './settings.ts'

/** What is remembered of one running trace, and the loops that its latest step reveals. */

export type Trace = {
  lastMs: number
  tenant: string
  steps: number
  costPico: number
  tokens: number
  spans: Span[]
  /** Calls by the agent that made them, the latest agent last. */
  scopes: [number, Call[]][]
  /** Loops that were told, by what they consist of. */
  loops: [string, Loop][]
}

export type LoopKind = 'repeat' | 'recursion'

export type Loop = {
  kind: LoopKind
  /** The call of a repeat whose times are counted. */
  state: string
  labels: string[]
  /** Times seen so far, and at which it is told again. */
  times: number
  tellAt: number
  startedMs: number
  /** Where the waste begins: time, cost and tokens of the trace. */
  wasteMs: number
  wasteCostPico: number
  wasteTokens: number
  /** Steps put into their place in the tree by their times. */
  inferred: number
}

/** Agents of a trace whose calls are remembered at once, and loops that are told of it. */
const SCOPES_MAX = 4
const LOOPS_MAX = 8

export const createTrace = (tenant: string): Trace => ({
  lastMs: 0,
  tenant,
  steps: 0,
  costPico: 0,
  tokens: 0,
  spans: [],
  scopes: [],
  loops: []
})

export const loopKey = (kind: LoopKind, labels: readonly string[]): string =>
  `${kind} ${[...labels].sort().join(', ')}`

/** Takes a step; returns the loop that should be told because of it, if any. */
export const followStep = (
  trace: Trace,
  step: Step,
  settings: Settings,
  usual: (tenant: string, loop: string) => number
): Loop | null => {
  const repeat = readRepeat(trace, step, settings)
  const recursion = readRecursion(trace, step, settings)
  trace.lastMs = Math.max(trace.lastMs, step.ms)
  trace.steps += 1
  trace.costPico += step.costPico
  trace.tokens += step.tokens
  const found = recursion ?? repeat
  return found === null || found.times < usual(trace.tenant, loopKey(found.kind, found.labels))
    ? null
    : tell(trace, found)
}

const readRepeat = (trace: Trace, step: Step, settings: Settings): Loop | null => {
  if (!isCall(step)) return null
  const calls = callsOf(trace, scopeOf(trace.spans, step))
  if (!addCall(calls, step, { costPico: trace.costPico, tokens: trace.tokens })) return null
  const repeat = findRepeat(calls, settings)
  if (repeat === null) return null
  return {
    kind: 'repeat',
    state: repeat.state,
    labels: repeat.labels,
    times: repeat.times,
    tellAt: 0,
    startedMs: repeat.first.ms,
    wasteMs: repeat.second.ms,
    wasteCostPico: repeat.second.costPico,
    wasteTokens: repeat.second.tokens,
    inferred: 0
  }
}

const callsOf = (trace: Trace, scope: number): Call[] => {
  const at = trace.scopes.findIndex(([name]) => name === scope)
  const [own] = at < 0 ? [[scope, []] as [number, Call[]]] : trace.scopes.splice(at, 1)
  trace.scopes.push(own!)
  if (trace.scopes.length > SCOPES_MAX) trace.scopes.shift()
  return own![1]
}

const readRecursion = (trace: Trace, step: Step, settings: Settings): Loop | null => {
  const span = addSpan(trace.spans, step)
  const { kind, name, label } = step.of
  if (span === null || (!isCall(step) && kind !== 'agent') || name === null) return null
  const { depth, sameArgs, cycle, inferred, first } = recursionOf(trace.spans, span)
  const isDeep = depth >= settings.recursionDepthMin || sameArgs >= settings.recursionSameMin
  if (!isDeep) return null
  return {
    kind: 'recursion',
    state: '',
    labels: cycle.length === 0 ? [label] : cycle,
    times: depth,
    tellAt: 0,
    startedMs: first.ms,
    wasteMs: first.ms,
    wasteCostPico: 0,
    wasteTokens: 0,
    inferred
  }
}

/** A loop is told when it is found, and again each time that it has grown to twice as much. */
const tell = (trace: Trace, found: Loop): Loop | null => {
  const key = loopKey(found.kind, found.labels)
  const known = trace.loops.find(([name]) => name === key)?.[1]
  if (known === undefined) {
    const loop = { ...found, tellAt: found.times * 2 }
    trace.loops.push([key, loop])
    if (trace.loops.length > LOOPS_MAX) trace.loops.shift()
    return loop
  }
  if (known.state !== found.state) return null
  known.times = found.kind === 'repeat' ? known.times + 1 : Math.max(known.times, found.times)
  if (known.times < known.tellAt) return null
  known.tellAt = known.times * 2
  return known
}
