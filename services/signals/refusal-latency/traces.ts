import type { Columns } from '../define.ts'
import type { Step } from './critical-path.ts'

/** Traces whose steps are still coming in. A trace is judged when it was quiet for a minute. */

export type OpenTrace = {
  tenant: string
  route: string | null
  user: string | null
  lastMs: number
  costPico: number
  steps: Step[]
}

const QUIET_MS = 60_000
/** Steps kept of one trace: a runaway agent must not fill the memory. */
const STEPS_MAX = 200
/** Traces that may be open; beyond, the oldest are judged as they are. */
export const TRACES_MAX = 50_000

/** Traces by the hash of tenant and trace. */
export type OpenTraces = Map<number, OpenTrace>

/** Adds the rows of a minute. */
export const addSteps = (open: OpenTraces, columns: Columns): void => {
  for (let row = 0; row < columns.rows; row++) addStep(open, columns, row)
}

const addStep = (
  open: OpenTraces,
  { series, keys, measures, texts }: Columns,
  row: number
): void => {
  const [tenant, kind, name, route] = keys[series[row]!]!
  const startMs = measures['time_ms']![row]!
  const endMs = startMs + measures['duration_ms']![row]!
  const trace = traceOf(open, measures['trace']![row]!, tenant ?? '')
  trace.route ??= route ?? null
  trace.user ??= texts['user']!.at(row) ?? null
  trace.lastMs = Math.max(trace.lastMs, endMs)
  const cost = measures['cost_pico']![row]!
  if (!Number.isNaN(cost)) trace.costPico += cost
  if (trace.steps.length >= STEPS_MAX) return
  trace.steps.push({
    kind: kind ?? '',
    name: name ?? null,
    startMs,
    endMs,
    span: known(measures['span']![row]!),
    parent: known(measures['parent']![row]!),
    refused: measures['refused']![row] === 1
  })
}

const traceOf = (open: OpenTraces, id: number, tenant: string): OpenTrace => {
  const trace = open.get(id)
  if (trace !== undefined) return trace
  const fresh = { tenant, route: null, user: null, lastMs: 0, costPico: 0, steps: [] }
  open.set(id, fresh)
  return fresh
}

const known = (value: number): number | null => (Number.isNaN(value) ? null : value)

/** Takes out the traces that are over by `nowMs`, in the order in which they began. */
export const takeQuiet = (open: OpenTraces, nowMs: number): OpenTrace[] => {
  const quiet: OpenTrace[] = []
  for (const [key, trace] of open) {
    if (trace.lastMs + QUIET_MS >= nowMs && open.size <= TRACES_MAX) continue
    open.delete(key)
    quiet.push(trace)
  }
  return quiet
}
