import type { Columns, Draft, Minute } from '../define.ts'
import { BOOK } from './book.ts'
import { readUsage } from './call.ts'
import { findingOf, resolvedDraft, severityOf } from './finding.ts'
import { explain, type Verdict } from './identities.ts'
import {
  emptyPending,
  seriesOf,
  type Cause,
  type Series,
  type SeriesName,
  type State
} from './state.ts'
import { addCall, emptyTally, mergeTally, ratioSpread, type Sighting } from './tally.ts'

/** One closed minute: calls into causes, causes into findings. */
export const foldMinute = (state: State, { startMs, grains }: Minute): Draft[] => {
  const touched = new Map<Series, number>()
  if (grains.traces !== undefined) readRows(state, grains.traces, startMs, touched)
  const opened = [...touched.keys()].flatMap((series) => decide(state, series, startMs))
  return [...opened, ...resolve(state, startMs)]
}

const readRows = (
  state: State,
  rows: Columns,
  startMs: number,
  touched: Map<Series, number>
): void => {
  const { measures } = rows
  for (let row = 0; row < rows.rows; row++) {
    const [provider, model, emitter] = rows.keys[rows.series[row]!]!
    const name: SeriesName = {
      provider: provider ?? null,
      model: model ?? null,
      emitter: emitter ?? null
    }
    const series = seriesOf(state, name, startMs)
    if (!touched.has(series)) touched.set(series, series.differing)
    series.lastMs = startMs
    const weight = measures['weight']![row]!
    const calls = Number.isNaN(weight) ? measures['calls']![row]! : weight
    series.compared += calls
    series.meteredPico += calls * (measures['metered_pico']![row]! / measures['calls']![row]!)
    if (Number.isNaN(weight)) {
      series.agreeing += calls
      continue
    }
    series.agreeing = 0
    series.differing += weight
    const sighting = sightingAt(rows, row, name.provider)
    take(series, sighting, explain(BOOK, sighting.call), touched.get(series)!)
  }
}

const sightingAt = (
  { measures, texts }: Columns,
  row: number,
  provider: string | null
): Sighting => {
  const timeMs = measures['time_ms']![row]!
  const tokens = measures['stated_tokens_pico']![row]!
  return {
    tenant: texts['tenant']!.at(row) ?? null,
    timeMs,
    weight: measures['weight']![row]!,
    call: {
      usage: readUsage(texts['event']!.at(row) ?? '{}', provider, timeMs),
      metered: measures['metered_pico']![row]!,
      stated: measures['stated_pico']![row]!,
      statedTokens: Number.isNaN(tokens) ? null : tokens,
      rounding: measures['rounding_pico']![row]!
    }
  }
}

const keyOf = ({ cause, side }: Pick<Verdict, 'cause' | 'side'>): string => `${cause}|${side}`

const PRICE: Verdict = {
  cause: 'price',
  side: 'stated',
  tokenClass: 'all',
  share: null,
  isWhole: true
}

/** Puts a call under the cause that explains it, or among those that wait for company. */
const take = (
  series: Series,
  sighting: Sighting,
  verdicts: readonly Verdict[],
  before: number
): void => {
  const known = verdicts.find((verdict) => series.causes[keyOf(verdict)] !== undefined)
  const first = verdicts[0] ?? PRICE
  if (known !== undefined || first.isWhole) {
    const verdict = known ?? first
    addCall(causeOf(series, verdict, before).tally, sighting, verdict)
    return
  }
  if (series.pending.all.calls === 0) series.pending.differingBefore = before
  addCall(series.pending.all, sighting, null)
  for (const verdict of verdicts) {
    const key = keyOf(verdict)
    const candidate = (series.pending.candidates[key] ??= {
      cause: verdict.cause,
      side: verdict.side,
      tokenClass: verdict.tokenClass,
      tally: emptyTally()
    })
    addCall(candidate.tally, sighting, verdict)
  }
}

const causeOf = (
  series: Series,
  { cause, side, tokenClass }: Pick<Cause, 'cause' | 'side' | 'tokenClass'>,
  differingBefore: number
): Cause =>
  (series.causes[keyOf({ cause, side })] ??= {
    cause,
    side,
    tokenClass,
    tally: emptyTally(),
    differingBefore,
    open: null
  })

/** Names what waits, and opens or escalates findings. */
const decide = (state: State, series: Series, startMs: number): Draft[] => {
  namePending(state, series)
  const drafts: Draft[] = []
  for (const cause of Object.values(series.causes)) {
    if (cause.tally.calls === 0 || cause.tally.lastMs < startMs) continue
    const isWorse =
      cause.open !== null &&
      cause.open.severity === 'info' &&
      severityOf(cause, state.settings) !== 'info'
    if (cause.open !== null && !isWorse) continue
    const startedAt = cause.open?.started_at
    cause.open = findingOf({ series, cause, startMs, settings: state.settings, startedAt })
    drafts.push(cause.open)
  }
  return drafts
}

/** Once enough calls wait: the part of a class that explains most of them, or nothing does. */
const namePending = ({ settings }: State, series: Series): void => {
  const { all, candidates } = series.pending
  if (all.calls < settings.partialCallsMin) return
  const ranked = Object.values(candidates).toSorted((a, b) => b.tally.calls - a.tally.calls)
  const [best] = ranked
  const isNamed = best !== undefined && best.tally.calls >= settings.identityShareMin * all.calls
  const isPrice = ratioSpread(all) <= settings.priceSpreadMax
  const named = isNamed
    ? best
    : { ...PRICE, cause: isPrice ? 'price' : 'unexplained', tokenClass: 'all', tally: all }
  mergeTally(causeOf(series, named, series.pending.differingBefore).tally, named.tally)
  series.pending = emptyPending()
}

const HOUR_MS = 3_600_000

/** Ends what no longer happens. A cause that comes back later is a new incident. */
const resolve = ({ settings, series }: State, startMs: number): Draft[] => {
  const drafts: Draft[] = []
  for (const one of series.values()) {
    for (const [key, cause] of Object.entries(one.causes)) {
      const quietMs = startMs - cause.tally.lastMs
      const isOver =
        one.agreeing >= settings.agreeingToResolve ||
        quietMs >= settings.quietHoursToResolve * HOUR_MS
      if (cause.open === null || !isOver) continue
      drafts.push(resolvedDraft(cause.open, startMs))
      delete one.causes[key]
    }
  }
  return drafts
}
