/**
 * Where the time of a trace went: walking back from its end, each moment belongs to the step that
 * then finished last. Steps that ran beside it cost nothing; what no step explains is waiting.
 */

export type Step = {
  kind: string
  name: string | null
  startMs: number
  endMs: number
  /** Hashes of the ids. */
  span: number | null
  parent: number | null
  refused: boolean
}

export type Stage = { stage: string; ms: number }

export type TracePath = {
  startMs: number
  totalMs: number
  /** Whether a stage blocked, refused or had the answer rewritten. */
  refused: boolean
  /** Milliseconds on the critical path by stage, in order of their first start. */
  stages: Stage[]
}

const WAITING = 'waiting'

export const criticalPath = (steps: readonly Step[]): TracePath => {
  const [first] = steps
  return first !== undefined && steps.length === 1 ? ofOne(first) : ofSeveral(steps)
}

/** Most traces are one call, and half a million of them may end in a minute. */
const ofOne = (step: Step): TracePath => {
  const { kind, span, parent, startMs, endMs, refused } = step
  const totalMs = endMs - startMs
  const isLeaf = kind !== 'agent' && (span === null || span !== parent)
  const stage = isLeaf ? stageOf(step, refused ? endMs : Infinity) : WAITING
  const stages = isLeaf || totalMs > 0 ? [{ stage, ms: Math.max(0, totalMs) }] : []
  return { startMs, totalMs, refused, stages }
}

const ofSeveral = (steps: readonly Step[]): TracePath => {
  const startMs = Math.min(...steps.map((step) => step.startMs))
  const endMs = Math.max(...steps.map((step) => step.endMs))
  const parents = new Set(steps.map(({ parent }) => parent))
  // A step that holds others explains nothing by itself.
  const leaves = steps.filter(
    ({ kind, span }) => kind !== 'agent' && (span === null || !parents.has(span))
  )
  const refusedMs = Math.min(
    ...steps.filter(({ refused }) => refused).map((step) => step.endMs),
    Infinity
  )
  const spent = new Map<string, number>()
  const ordered = [...leaves].sort((a, b) => a.startMs - b.startMs)
  for (const step of ordered) spent.set(stageOf(step, refusedMs), 0)
  const add = (stage: string, ms: number): void => {
    if (ms > 0) spent.set(stage, (spent.get(stage) ?? 0) + ms)
  }
  let now = endMs
  while (now > startMs) {
    const last = lastBefore(ordered, now)
    if (last === null) break
    const until = Math.min(last.endMs, now)
    add(WAITING, now - until)
    add(stageOf(last, refusedMs), until - last.startMs)
    now = last.startMs
  }
  add(WAITING, now - startMs)
  return {
    startMs,
    totalMs: endMs - startMs,
    refused: refusedMs < Infinity,
    stages: [...spent].map(([stage, ms]) => ({ stage, ms }))
  }
}

/** Of the steps that began before `now`, the one that ran longest towards it. */
const lastBefore = (steps: readonly Step[], now: number): Step | null => {
  let last: Step | null = null
  for (const step of steps) {
    if (step.startMs >= now) continue
    if (last === null || Math.min(step.endMs, now) > Math.min(last.endMs, now)) last = step
  }
  return last
}

/** A model that is asked again after a refusal reformulates. */
const stageOf = ({ kind, name, startMs }: Step, refusedMs: number): string => {
  if (kind === 'llm') return startMs >= refusedMs ? 'reformulation' : 'model'
  return name ?? kind
}
