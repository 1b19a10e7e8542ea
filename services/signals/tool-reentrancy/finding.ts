import type { Draft } from '../define.ts'
import { fingerprint } from '../fingerprint.ts'
import { sqlEquals, sqlTime } from '../sql.ts'
import { usd, usdPerHour } from '../statistics/share-incidents.ts'
import type { Settings } from './settings.ts'
import { textOf, type Step } from './step.ts'
import { loopKey, type Loop, type Trace } from './trace.ts'

/** Turns a loop into the finding that people read. */

export type Sighting = { step: Step; trace: Trace; loop: Loop; minuteMs: number }

export type Circumstances = {
  traces: readonly string[]
  loops: number
  settings: Settings
  /** Day of the change point, or the finding that opened the incident. */
  day?: number
  first?: Draft
}

const MINUTE_MS = 60_000
/** Rates over less than this say nothing: a loop of a second is not 3,600 an hour. */
const RATE_MS_MIN = 10_000

const iso = (ms: number): string => new Date(ms).toISOString()

export const loopDraft = (sighting: Sighting, around: Circumstances): Draft => {
  const { step, trace, loop, minuteMs } = sighting
  const wastePico = trace.costPico - loop.wasteCostPico
  const perHour =
    wastePico > 0 ? usdPerHour(wastePico, Math.max(RATE_MS_MIN, step.endMs - loop.wasteMs)) : null
  const cycle = loop.labels.join(' → ')
  const name = textOf(step, 'trace') ?? ''
  return {
    fingerprint:
      around.first?.fingerprint ??
      fingerprint(
        'tool-reentrancy',
        trace.tenant,
        loopKey(loop.kind, loop.labels),
        around.day ?? 0
      ),
    status: 'firing',
    severity: severityOf(perHour, around.settings),
    tenant: trace.tenant,
    scope: { loop: loop.kind, cycle, trace: name },
    axis: 'tool',
    started_at: around.first?.started_at ?? iso(loop.startedMs),
    detected_at: iso(minuteMs + MINUTE_MS),
    summary: summary(sighting, perHour, around.loops),
    before: loop.kind === 'repeat' ? { times: 1 } : { depth: 1 },
    after: {
      ...(loop.kind === 'repeat' ? { times: loop.times } : { depth: loop.times }),
      seconds: Math.round((step.endMs - loop.startedMs) / 1000),
      wasted_tokens: trace.tokens - loop.wasteTokens,
      wasted_usd: wastePico > 0 ? usd(wastePico) : null,
      steps_of_trace: trace.steps,
      steps_placed_by_time: loop.inferred,
      traces: around.loops
    },
    cost_usd_per_hour: perHour,
    culprit: { trace: name, call: step.of.label, args_hash: textOf(step, 'args') },
    victims: [],
    contributors: around.traces.map((one) => ({ trace: one, cycle })),
    query: reproduce(sighting)
  }
}

const severityOf = (perHour: string | null, settings: Settings): Draft['severity'] => {
  if (perHour === null) return 'warning'
  if (Number(perHour) < settings.costFloorUsdPerHour) return 'info'
  return Number(perHour) >= settings.criticalUsdPerHour ? 'critical' : 'warning'
}

const summary = (
  { step, trace, loop }: Sighting,
  perHour: string | null,
  loops: number
): string => {
  const what =
    loop.kind === 'repeat'
      ? `calls ${loop.labels.join(' → ')} with the same arguments and gets the same result, ${loop.times} times so far`
      : `has ${step.of.label} inside itself, ${loop.times} deep so far (${loop.labels.join(' → ')})`
  const waste = trace.costPico - loop.wasteCostPico
  const money =
    waste > 0 && perHour !== null
      ? `: ${usd(waste)} USD for nothing, at ${perHour} USD an hour`
      : ''
  const others = loops > 1 ? `, one of ${loops} traces that do so` : ''
  return `Trace ${textOf(step, 'trace')} of ${trace.tenant} ${what}${money}${others}`
}

const reproduce = ({ step, loop }: Sighting): string => {
  const filters = [
    sqlEquals('tenant', step.of.tenant),
    `${sqlEquals('coalesce(trace_id, conversation_id)', textOf(step, 'trace'))}`,
    `time >= ${sqlTime(loop.startedMs)}`,
    `time <= ${sqlTime(step.ms)}`
  ]
  const what =
    loop.kind === 'repeat'
      ? `kind IN ('tool', 'retrieval')`
      : `${sqlEquals('kind', step.of.kind)} AND ${sqlEquals('name', step.of.name)}`
  const columns = loop.kind === 'repeat' ? 'name, args_hash, result_hash' : 'kind, name'
  return `SELECT ${columns}, count(*) AS ${loop.kind === 'repeat' ? 'times' : 'spans'}, min(time)::VARCHAR AS first, max(time)::VARCHAR AS latest
FROM events WHERE ${filters.join(' AND ')} AND ${what} GROUP BY ${columns} HAVING count(*) > 1 ORDER BY count(*) DESC`
}
