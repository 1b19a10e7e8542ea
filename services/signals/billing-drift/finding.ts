import type { Draft } from '../define.ts'
import { fingerprint } from '../fingerprint.ts'
import { sqlEquals, sqlTime } from '../sql.ts'
import type { Settings } from './settings.ts'
import type { Cause, Series } from './state.ts'
import { ratioSpread, type Tally } from './tally.ts'

/** Turns a cause into the finding that people read. */

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
const PICO_PER_USD = 1e12
/** A difference of this part of the metered cost, and material, is critical. */
const CRITICAL_RATIO = 0.1
/** Calls after which an identity can not be a coincidence. */
const SURE_CALLS = 3

export type Told = {
  series: Series
  cause: Cause
  startMs: number
  settings: Settings
  /** When the same incident was told of before: its start stays. */
  startedAt: string | undefined
}

const iso = (ms: number): string => new Date(ms).toISOString()
const round = (value: number, digits: number): number =>
  Math.round(value * 10 ** digits) / 10 ** digits

const extraPico = ({ statedPico, meteredPico }: Tally): number => statedPico - meteredPico
/** Over at least an hour: a single call is no rate. */
const usdPerHour = (tally: Tally): number =>
  extraPico(tally) / PICO_PER_USD / (Math.max(HOUR_MS, tally.lastMs - tally.firstMs) / HOUR_MS)

export const severityOf = (
  { cause, tally }: Pick<Cause, 'cause' | 'tally'>,
  settings: Settings
): Draft['severity'] => {
  const total = Math.abs(extraPico(tally)) / PICO_PER_USD
  const isMaterial =
    total >= settings.materialUsd || Math.abs(usdPerHour(tally)) >= settings.materialUsdPerHour
  if (!isMaterial) return 'info'
  // Charges for tools are owed; they are only not metered.
  if (cause === 'tool-charge') return 'warning'
  const ratio = Math.abs(extraPico(tally)) / Math.max(1, tally.meteredPico)
  return ratio >= CRITICAL_RATIO ? 'critical' : 'warning'
}

export const findingOf = (told: Told): Draft => {
  const { series, cause, startMs, settings } = told
  const { tally } = cause
  const fromMs = Math.floor(tally.firstMs / MINUTE_MS) * MINUTE_MS
  const started = told.startedAt ?? iso(fromMs)
  const until = startMs + MINUTE_MS
  return {
    fingerprint: identity(series, cause, started),
    status: 'firing',
    severity: severityOf(cause, settings),
    tenant: null,
    scope: scopeOf(series),
    axis: cause.side === 'recorded' ? 'client' : 'provider',
    started_at: started,
    detected_at: iso(until),
    summary: summary(told),
    before: {
      drift_pct: 0,
      compared_calls: Math.round(series.compared - series.differing),
      from: iso(series.firstMs)
    },
    after: {
      cause: cause.cause,
      wrong_side: cause.side,
      token_class: cause.tokenClass,
      cause_confidence: confidenceOf(cause, settings),
      drift_pct: driftPct(tally),
      ratio_spread_pct: round(100 * ratioSpread(tally), 2),
      class_share_pct: tally.shared > 0 ? round((100 * tally.share) / tally.shared, 1) : null,
      calls: Math.round(tally.calls),
      differing_calls: Math.round(series.differing - cause.differingBefore),
      metered_usd: round(tally.meteredPico / PICO_PER_USD, 9),
      stated_usd: round(tally.statedPico / PICO_PER_USD, 9),
      to: iso(until)
    },
    cost_usd_per_hour: Math.abs(usdPerHour(tally)).toFixed(6),
    culprit: null,
    victims: [],
    contributors: Object.entries(tally.tenants)
      .map(([tenant, pico]) => ({ tenant, extra_usd: round(pico / PICO_PER_USD, 9) }))
      .toSorted((a, b) => Math.abs(b.extra_usd) - Math.abs(a.extra_usd)),
    query: reproduce(series, Date.parse(started), until)
  }
}

const driftPct = (tally: Tally): number =>
  round((100 * extraPico(tally)) / Math.max(1, tally.meteredPico), 2)

const identity = ({ name }: Series, { cause, side }: Cause, started: string): string => {
  const day = Math.floor(Date.parse(started) / DAY_MS)
  return fingerprint('billing-drift', name.provider, name.model, name.emitter, cause, side, day)
}

const scopeOf = ({ name }: Series): Record<string, string> =>
  Object.fromEntries(
    Object.entries(name).filter((entry): entry is [string, string] => entry[1] !== null)
  )

const confidenceOf = ({ cause, tally }: Cause, settings: Settings): string => {
  if (cause === 'unexplained') return 'none'
  if (cause !== 'price') return tally.calls >= SURE_CALLS || tally.split > 0 ? 'high' : 'medium'
  if (tally.split > 0) return 'high'
  const isOneFactor = ratioSpread(tally) <= settings.priceSpreadMax
  return tally.calls < SURE_CALLS ? 'low' : isOneFactor ? 'medium' : 'low'
}

const summary = ({ series: { name }, cause, settings }: Told): string => {
  const { tally } = cause
  const drift = driftPct(tally)
  const where = [name.model ?? 'calls without a model', name.provider, name.emitter]
    .filter((part) => part !== null)
    .join(', ')
  const size = `${drift > 0 ? '+' : ''}${drift} % over ${Math.round(tally.calls)} calls`
  return `Stated cost of ${where} differs from the metered one by ${size}: ${sentence(cause, settings)}`
}

const sentence = (cause: Cause, settings: Settings): string => {
  const { tally } = cause
  if (cause.cause === 'price') return 'no token class explains it, so another price was applied.'
  if (cause.cause === 'tool-charge') return 'the tokens agree, the rest was charged for tools.'
  if (cause.cause === 'unexplained') return 'no single token class or factor explains it.'
  const share = tally.shared > 0 ? tally.share / tally.shared : 1
  const part = share > 1 - settings.priceSpreadMax ? '' : ` (${(100 * share).toFixed(0)} % of them)`
  const who = cause.side === 'stated' ? 'in the stated cost' : 'in the tokens that we were sent'
  return `it is, to the token, ${cause.cause.replaceAll('-', ' ')}${part}, ${who}.`
}

/** Every differing call of the series since the change: as many rows as `differing_calls` says. */
const reproduce = ({ name }: Series, fromMs: number, toMs: number): string => {
  const filters = [
    sqlEquals('provider', name.provider),
    sqlEquals('coalesce(response_model, request_model)', name.model),
    sqlEquals('emitter', name.emitter),
    `time >= ${sqlTime(fromMs)}`,
    `time < ${sqlTime(toMs)}`
  ]
  return `SELECT time, tenant, id, cost_pico / 1e12 AS metered_usd,
  cost_reported_usd::DOUBLE AS stated_usd, in_uncached, in_cache_read, out_text, out_reasoning
FROM (
  SELECT *, abs(TRY_CAST(cost_reported_usd AS DOUBLE) * 1e12 - cost_pico) AS off,
    CASE WHEN regexp_matches(cost_reported_usd, '[eE]') THEN 0
      ELSE least(pow(10, 12 - len(split_part(cost_reported_usd, '.', 2))), 1e6) END AS rounding
  FROM events WHERE ${filters.join(' AND ')}
)
WHERE off > greatest(0.01 * cost_pico, rounding, 1) ORDER BY time, id`
}

export const resolvedDraft = (draft: Draft, startMs: number): Draft => ({
  ...draft,
  status: 'resolved',
  detected_at: iso(startMs + MINUTE_MS),
  summary: `Stated and metered cost agree again. ${draft.summary}`
})
