import type { Columns, Draft } from '../define.ts'
import { dropIdle, remember } from '../statistics/recent.ts'
import { countAttempt, hazardOf, loopNats } from './hazard.ts'
import { loopDraft } from './loop-finding.ts'
import { endDraft } from '../statistics/share-incidents.ts'
import type { State } from './state.ts'

/** The loop that is caught while it runs: one operation, or one shape, tried again and again. */

export type Loop = {
  lastMs: number
  tenant: string
  model: string | null
  /** Operation, or shape where `isShape`. */
  name: string
  isShape: boolean
  firstMs: number
  attempts: number
  /** Cost and tokens of all attempts after the first. */
  costPico: number
  tokens: number
  /** Gaps between the latest attempts, in milliseconds. */
  gaps: number[]
  failures: [string, number][]
  /** Attempts at which it is told next. */
  tellAt: number
  draft: Draft | null
}

/** Enough gaps to tell waiting longer from waiting alike. */
const GAPS_MAX = 4
/** Kinds of failure that a finding tells of. */
const FAILURES_MAX = 4
/** Operations of a tenant in a month, of which the budget of false findings is a share. */
const OPERATIONS_PER_MONTH = 100_000
const PICO_PER_USD = 1e12

type Row = { tenant: string; model: string | null; ms: number; row: number }

export const readLoops = (state: State, columns: Columns, minuteMs: number): Draft[] => {
  const drafts: Draft[] = []
  for (let row = 0; row < columns.rows; row++) {
    const [tenant, model] = columns.keys[columns.series[row]!]!
    const ms = minuteMs + columns.measures['at_ms']![row]!
    const at = { tenant: tenant ?? '', model: model ?? null, ms, row }
    const draft = readAttempt(state, columns, at, minuteMs)
    if (draft !== null) drafts.push(draft)
  }
  return drafts
}

const reported = (value: number): number => (Number.isNaN(value) ? 0 : value)

const readAttempt = (state: State, columns: Columns, at: Row, minuteMs: number): Draft | null => {
  const { settings } = state
  const loop = addAttempt(state, columns, at)
  const hazard = hazardOf(state.hazards, `${loop.isShape ? 's' : 'o'}${loop.tenant}`, at.ms)
  countAttempt(hazard, loop.attempts)
  if (loop.attempts < Math.max(settings.loopAttemptsMin, loop.tellAt)) return null
  const nats = loopNats(hazard, loop.attempts)
  const isDear = loop.costPico >= settings.loopUsdMax * PICO_PER_USD
  const alarm = Math.log(OPERATIONS_PER_MONTH / settings.falseLoopsPerTenantMonth)
  if (loop.draft === null && nats < alarm && !isDear) return null
  loop.tellAt = loop.attempts * 2
  loop.draft = loopDraft(loop, { minuteMs, nats, settings })
  return loop.draft
}

const addAttempt = (state: State, { measures, texts }: Columns, at: Row): Loop => {
  const { row, tenant, model, ms } = at
  const operation = texts['operation']!.at(row) ?? null
  const name = operation ?? texts['shape']!.at(row) ?? ''
  const key = `${tenant}\u001f${operation === null ? 's' : 'o'}${name}`
  const loop = state.loops.entries.get(key) ?? freshLoop(at, name, operation === null)
  const told = reported(measures['attempt']![row]!)
  const isFirst = loop.attempts === 0 && told <= 1
  loop.attempts = Math.max(loop.attempts + 1, told)
  if (!isFirst) {
    loop.costPico += reported(measures['cost_pico']![row]!)
    loop.tokens += reported(measures['tokens']![row]!)
    if (loop.lastMs > 0) loop.gaps = [...loop.gaps, ms - loop.lastMs].slice(-GAPS_MAX)
  }
  const failure = texts['failure']!.at(row) ?? null
  countFailure(loop, failure)
  loop.lastMs = Math.max(loop.lastMs, ms)
  loop.model = model
  loop.tenant = tenant
  // A numbered first attempt that succeeds is the end of its operation: nothing to remember.
  if (told !== 1 || failure !== null) remember(state.loops, key, loop)
  return loop
}

const freshLoop = ({ tenant, model, ms }: Row, name: string, isShape: boolean): Loop => ({
  lastMs: 0,
  tenant,
  model,
  name,
  isShape,
  firstMs: ms,
  attempts: 0,
  costPico: 0,
  tokens: 0,
  gaps: [],
  failures: [],
  tellAt: 0,
  draft: null
})

const countFailure = (loop: Loop, failure: string | null): void => {
  if (failure === null) return
  const known = loop.failures.find(([name]) => name === failure)
  if (known !== undefined) known[1] += 1
  else if (loop.failures.length < FAILURES_MAX) loop.failures.push([failure, 1])
}

/** Loops that nobody tries any more. */
export const endLoops = (state: State, ms: number): Draft[] =>
  dropIdle(state.loops, ms).flatMap(([, { draft }]) =>
    draft === null ? [] : [endDraft(draft, ms)]
  )
