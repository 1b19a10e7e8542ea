import type { Columns } from '../define.ts'
import type { Step } from './critical-path.ts'

/** Traces whose steps are still coming in. A trace is judged when it was quiet for two minutes. */

export type OpenTrace = {
  tenant: string
  route: string | null
  user: string | null
  lastMs: number
  costPico: number
  steps: Step[]
}

const QUIET_MS = 120_000
/** Steps kept of one trace: a runaway agent must not fill the memory. */
const STEPS_MAX = 200
/** Traces that may be open; beyond, the oldest are judged as they are. */
export const TRACES_MAX = 50_000

/** Adds the rows of a minute. */
export const addSteps = (open: Map<string, OpenTrace>, columns: Columns): void => {
  for (let row = 0; row < columns.rows; row++) addStep(open, columns, row)
}

const addStep = (
  open: Map<string, OpenTrace>,
  { series, keys, measures, texts }: Columns,
  row: number
): void => {
  const text = (name: string): string | null => texts[name]?.[row] ?? null
  const tenant = keys[series[row]!]?.[0] ?? ''
  const key = JSON.stringify([tenant, text('trace_id')])
  const startMs = measures['time_ms']![row]!
  const endMs = startMs + measures['duration_ms']![row]!
  const trace = open.get(key) ?? {
    tenant,
    route: null,
    user: null,
    lastMs: 0,
    costPico: 0,
    steps: []
  }
  open.set(key, trace)
  trace.route ??= text('route')
  trace.user ??= text('user')
  trace.lastMs = Math.max(trace.lastMs, endMs)
  const cost = measures['cost_pico']![row]!
  if (!Number.isNaN(cost)) trace.costPico += cost
  if (trace.steps.length >= STEPS_MAX) return
  trace.steps.push({
    kind: text('kind') ?? '',
    name: text('name'),
    startMs,
    endMs,
    spanId: text('span_id'),
    parentSpanId: text('parent_span_id'),
    refused: measures['refused']![row] === 1
  })
}

/** Takes out the traces that are over by `nowMs`, in the order in which they began. */
export const takeQuiet = (open: Map<string, OpenTrace>, nowMs: number): OpenTrace[] => {
  const quiet: OpenTrace[] = []
  for (const [key, trace] of open) {
    if (trace.lastMs + QUIET_MS >= nowMs && open.size <= TRACES_MAX) continue
    open.delete(key)
    quiet.push(trace)
  }
  return quiet
}
