import type { Draft } from '../define.ts'
import { fingerprint } from '../fingerprint.ts'
import { sqlEquals, sqlText, sqlTime } from '../sql.ts'
import { usd, usdPerHour } from '../statistics/share-incidents.ts'
import type { Loop } from './loops.ts'
import type { Settings } from './settings.ts'

/** The finding about one operation that is tried again and again. */

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
/** Rates over less than this say nothing: a loop of a second is not 3,600 an hour. */
const RATE_MS_MIN = 10_000
/** Cost per hour from which a single loop is critical. */
const CRITICAL_USD_PER_HOUR = 10
/** Statuses that say the provider could not, rather than that the call was wrong. */
const PROVIDER_FAILURE = /^(408|409|429|5\d\d)$|overload|rate.?limit|timeout|unavailable/i

const iso = (ms: number): string => new Date(ms).toISOString()

export type Telling = { minuteMs: number; nats: number; settings: Settings }

export const loopDraft = (loop: Loop, { minuteMs, nats, settings }: Telling): Draft => {
  const perHour =
    loop.costPico > 0
      ? usdPerHour(loop.costPico, Math.max(RATE_MS_MIN, loop.lastMs - loop.firstMs))
      : null
  const what = loop.isShape ? { shape: loop.name } : { operation: loop.name }
  return {
    fingerprint: fingerprint(
      'retry-spend',
      loop.tenant,
      loop.name,
      Math.floor(loop.firstMs / DAY_MS)
    ),
    status: 'firing',
    severity: severityOf(perHour, settings),
    tenant: loop.tenant,
    scope: { level: 'loop', ...what, ...(loop.model === null ? {} : { model: loop.model }) },
    axis: axisOf(loop),
    started_at: iso(loop.firstMs),
    detected_at: iso(minuteMs + MINUTE_MS),
    summary: summary(loop, perHour),
    before: { attempts: 1 },
    after: {
      attempts: loop.attempts,
      wasted_usd: loop.costPico > 0 ? usd(loop.costPico) : null,
      wasted_tokens: loop.tokens,
      seconds: Math.round((loop.lastMs - loop.firstMs) / 1000),
      latest_gap_ms: loop.gaps.at(-1) ?? null,
      backs_off: backsOff(loop),
      evidence_nats: Math.round(nats * 10) / 10
    },
    cost_usd_per_hour: perHour,
    culprit: { ...what, tenant: loop.tenant },
    victims: [],
    contributors: loop.failures.map(([failure, attempts]) => ({ failure, attempts })),
    query: reproduce(loop, minuteMs)
  }
}

const severityOf = (perHour: string | null, settings: Settings): Draft['severity'] => {
  if (perHour === null) return 'warning'
  if (Number(perHour) < settings.costFloorUsdPerHour) return 'info'
  return Number(perHour) >= CRITICAL_USD_PER_HOUR ? 'critical' : 'warning'
}

const axisOf = ({ failures, isShape }: Loop): Draft['axis'] => {
  const [worst] = [...failures].sort((a, b) => b[1] - a[1])
  if (worst === undefined) return isShape ? 'client' : 'model'
  return PROVIDER_FAILURE.test(worst[0]) ? 'provider' : 'model'
}

/** Whether each gap is longer than the one before: the client waits, but does not stop. */
const backsOff = ({ gaps }: Loop): boolean =>
  gaps.length > 1 && gaps.every((gap, i) => i === 0 || gap > gaps[i - 1]! * 1.2)

const summary = (loop: Loop, perHour: string | null): string => {
  const what = loop.isShape ? 'A call of the same shape' : `Operation ${loop.name}`
  const seconds = Math.round((loop.lastMs - loop.firstMs) / 1000)
  const money =
    perHour === null ? '' : `; ${usd(loop.costPico)} USD wasted so far, at ${perHour} USD an hour`
  const [failure] = loop.failures
  const why = failure === undefined ? '' : ` (${failure[0]})`
  return `${what} of ${loop.tenant} is at attempt ${loop.attempts} after ${seconds} s${why}${money}`
}

const reproduce = (loop: Loop, minuteMs: number): string => {
  const which = loop.isShape
    ? `concat_ws(' ', coalesce(conversation_id, trace_id), coalesce(request_model, response_model), coalesce(prefix_blocks[-1], prefix_hash), coalesce(in_total, local_in)) = ${sqlText(loop.name)}`
    : sqlEquals('operation_id', loop.name)
  return `SELECT time::VARCHAR AS at, attempt, status, error_type, schema_error, in_total, out_total, cost_pico / 1e12 AS cost_usd
FROM events WHERE ${sqlEquals('tenant', loop.tenant)} AND ${which}
  AND time >= ${sqlTime(Math.floor(loop.firstMs / MINUTE_MS) * MINUTE_MS)} AND time < ${sqlTime(minuteMs + MINUTE_MS)} ORDER BY time`
}
