import type { Draft } from '../define.ts'
import { fingerprint } from '../fingerprint.ts'
import { sqlEquals, sqlTime } from '../sql.ts'
import { driftOf, marginPct, sumsOf, type Drift, type Sums } from './drift.ts'
import { ALL_MODELS, SHAPE, T, usualOf, type SeriesName } from './series.ts'
import type { State } from './state.ts'

/** Turns a drift into the finding that people read. */

export type Kind = 'standing' | 'changed' | 'model-change' | 'tokenizer-change'

/** What was before: nothing, the series' own past, or the model or tokenizer that it replaced. */
export type Before = { kind: Kind; drift: Drift; sums: Sums | null; name: SeriesName | null }

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000
const PICO_PER_USD = 1e12
/** A typical difference of this many percent is worth a warning. */
const WARNING_PCT = 5

const iso = (ms: number): string => new Date(ms).toISOString()

export const findingOf = (
  state: State,
  slot: number,
  { before, ms, evidenceNats }: { before: Before; ms: number; evidenceNats: number }
): Draft => {
  const { series, settings } = state
  const name = series.names[slot]!
  const drift = driftOf(usualOf(series, slot))
  const sums = sumsOf(series, slot)
  const nearLimit = series.records.doubles[slot * SHAPE.doubles + T.nearLimit]!
  const until = ms + MINUTE_MS
  const margin = marginPct(usualOf(series, slot), settings)
  return {
    fingerprint: identity(name, sums.fromMs),
    status: 'firing',
    severity: severityOf(drift, nearLimit),
    tenant: null,
    scope: scopeOf(name),
    axis: AXIS_OF[before.kind],
    started_at: iso(sums.fromMs),
    detected_at: iso(until),
    summary: summary(name, { drift, sums, margin, before }),
    before: {
      ...driftFigures(before.drift),
      ...(before.sums === null ? {} : sumFigures(before.sums)),
      model: before.name?.model ?? name.model,
      tokenizer: before.name?.tokenizer ?? name.tokenizer
    },
    after: {
      kind: before.kind,
      ...driftFigures(drift),
      ...sumFigures(sums),
      safety_margin_pct: margin,
      near_limit_calls: nearLimit,
      evidence_nats: Math.round(evidenceNats * 10) / 10,
      to: iso(until)
    },
    cost_usd_per_hour: costPerHour(sums, until),
    culprit: null,
    victims: [],
    contributors: relatives(state, slot),
    query: reproduce(name, sums.fromMs, until)
  }
}

/** The same finding with the figures of now. */
export const again = (
  state: State,
  slot: number,
  { known, ms }: { known: Draft; ms: number }
): Draft => {
  const kind = known.after['kind'] as Kind
  const drift: Drift = {
    medianPct: Number(known.before['drift_median_pct']),
    lowPct: Number(known.before['drift_low_pct']),
    highPct: Number(known.before['drift_high_pct'])
  }
  const evidenceNats = Number(known.after['evidence_nats'])
  const before = { kind, drift, sums: null, name: null }
  const draft = findingOf(state, slot, { before, ms, evidenceNats })
  return { ...draft, fingerprint: known.fingerprint, before: known.before }
}

const AXIS_OF: Readonly<Record<Kind, Draft['axis']>> = {
  standing: 'client',
  changed: 'provider',
  'model-change': 'model',
  'tokenizer-change': 'client'
}

const severityOf = ({ medianPct }: Drift, nearLimit: number): Draft['severity'] => {
  if (nearLimit > 0 && medianPct > 0) return 'critical'
  return Math.abs(medianPct) >= WARNING_PCT ? 'warning' : 'info'
}

const identity = (name: SeriesName, fromMs: number): string =>
  fingerprint(
    'tokenizer-drift',
    name.provider,
    name.model,
    name.tokenizer,
    name.script,
    name.side,
    Math.floor(fromMs / DAY_MS)
  )

const scopeOf = (name: SeriesName): Record<string, string> =>
  Object.fromEntries(
    Object.entries(name).filter((entry): entry is [string, string] => entry[1] !== null)
  )

const driftFigures = ({ medianPct, lowPct, highPct }: Drift) => ({
  drift_median_pct: medianPct,
  drift_low_pct: lowPct,
  drift_high_pct: highPct
})

const sumFigures = (sums: Sums) => ({
  drift_ratio_pct: sums.ratioPct,
  drift_ratio_low_pct: sums.ratioLowPct,
  drift_ratio_high_pct: sums.ratioHighPct,
  calls: sums.calls,
  local_tokens: sums.local,
  reported_tokens: sums.reported,
  from: iso(sums.fromMs)
})

/** What the tokens that the local count did not foresee cost; null when nothing was priced. */
const costPerHour = (sums: Sums, untilMs: number): string | null => {
  if (sums.extraPico === 0) return null
  const hours = Math.max(HOUR_MS, untilMs - sums.fromMs) / HOUR_MS
  return Math.max(0, sums.extraPico / PICO_PER_USD / hours).toFixed(6)
}

/** Series beside a finding: enough for every model or script that anybody runs at once. */
const CONTRIBUTORS_MAX = 12

/** Same provider and tokenizer: other models of the script, and other scripts of the model. */
const relatives = ({ series }: State, slot: number): Draft['contributors'] => {
  const name = series.names[slot]!
  return series.names
    .flatMap((other, at) => {
      const isNear = other.provider === name.provider && other.tokenizer === name.tokenizer
      const isOneOff = other.model === name.model || other.script === name.script
      const isLeaf = other.side !== 'limit' && other.model !== ALL_MODELS && at !== slot
      const { calls } = sumsOf(series, at)
      if (!isNear || !isOneOff || !isLeaf || calls === 0) return []
      const drift = driftFigures(driftOf(usualOf(series, at)))
      return [{ model: other.model, script: other.script, side: other.side, calls, ...drift }]
    })
    .toSorted((a, b) => b.calls - a.calls)
    .slice(0, CONTRIBUTORS_MAX)
}

const signed = (value: number): string => `${value > 0 ? '+' : ''}${value}`

const summary = (
  name: SeriesName,
  found: { drift: Drift; sums: Sums; margin: number; before: Before }
): string => {
  const { drift, sums, margin, before } = found
  const what = name.side === 'in' ? 'input' : 'output'
  const model = name.model === ALL_MODELS ? `all models of ${name.provider}` : name.model
  const where = `${model ?? 'unnamed models'}${name.script === null ? '' : ` in ${name.script}`}`
  const by = `counted by ${name.tokenizer ?? 'an unnamed tokenizer'}`
  const size = `${signed(drift.medianPct)} % (${signed(drift.lowPct)} to ${signed(drift.highPct)} %, ${sums.calls} calls)`
  const was =
    before.kind === 'standing'
      ? ''
      : `, after ${signed(before.drift.medianPct)} % ${WAS[before.kind]}`
  return `Reported ${what} tokens of ${where} are typically ${size} off the local count ${by}${was}. Plan with a margin of ${margin} %.`
}

const WAS: Readonly<Record<Kind, string>> = {
  standing: '',
  changed: 'before',
  'model-change': 'with the model before',
  'tokenizer-change': 'with the tokenizer before'
}

const EXCLUDED = {
  in: `local_in >= 20 AND in_total > 0 AND tools_hash IS NULL
  AND coalesce(in_image, 0) + coalesce(in_audio, 0) + coalesce(in_video, 0) + coalesce(in_tool_use, 0)
    + coalesce(in_cached_image, 0) + coalesce(in_cached_audio, 0) = 0`,
  out: `local_out >= 20 AND out_total > 0 AND coalesce(out_reasoning, 0) = 0
  AND coalesce(out_audio, 0) + coalesce(out_image, 0) = 0
  AND coalesce(stop_class, '') NOT IN ('tool', 'cancelled', 'error')`
}

/** One row: as many calls, and the same median and ratio up to the bins' width. */
const reproduce = (name: SeriesName, fromMs: number, toMs: number): string => {
  const side = name.side === 'in' ? 'in' : 'out'
  const filters = [
    "kind IN ('llm', 'embedding') AND coalesce(status, 200) < 400",
    sqlEquals('provider', name.provider),
    ...(name.model === ALL_MODELS
      ? []
      : [sqlEquals('coalesce(response_model, request_model)', name.model)]),
    sqlEquals('local_tokenizer', name.tokenizer),
    sqlEquals('script', name.script),
    `time >= ${sqlTime(fromMs)}`,
    `time < ${sqlTime(toMs)}`,
    EXCLUDED[side]
  ]
  return `SELECT count(*) AS calls, sum(local_${side}) AS local_tokens, sum(${side}_total) AS reported_tokens,
  100 * (median(${side}_total / local_${side}) - 1) AS drift_median_exact_pct,
  100 * (sum(${side}_total) / sum(local_${side}) - 1) AS drift_ratio_pct
FROM events WHERE ${filters.join(' AND ')}`
}

export const resolvedDraft = (draft: Draft, ms: number, why: string): Draft => ({
  ...draft,
  status: 'resolved',
  detected_at: iso(ms + MINUTE_MS),
  summary: `${why} ${draft.summary}`
})
