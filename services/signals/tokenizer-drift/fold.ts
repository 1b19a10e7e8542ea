import type { Columns, Draft, Minute } from '../define.ts'
import { ratioOfBin } from '../statistics/ratio-sketch.ts'
import { driftOf, marginRatio, sumsOf } from './drift.ts'
import { again, findingOf, resolvedDraft, type Before } from './finding.ts'
import { addCalls, clearGroups, G, inOrder, startOf, type Named } from './groups.ts'
import { adopt, changeEvidence, judgeMinute, levelEvidence, type Own } from './judge.ts'
import { ALL_MODELS, dayOf, SHAPE, slotOf, T, usualOf, type SeriesName } from './series.ts'
import type { State } from './state.ts'

/** Calls into groups by series, side and bin of their ratio. */
export const follow = ({ running }: State, calls: Columns): Draft[] => {
  addCalls(running, calls)
  return []
}

/** One closed minute: groups into series, series into findings. */
export const foldMinute = (state: State, { startMs }: Minute): Draft[] => {
  const drafts = foldGroups(state, startMs)
  clearGroups(state.running)
  return [...drafts, ...endIdle(state, startMs)]
}

const foldGroups = (state: State, ms: number): Draft[] => {
  const bySlot = new Map<number, number[]>()
  const limits: Named[] = []
  for (const named of inOrder(state.running)) {
    const { name, numbers } = named
    if (name.side === 'limit') {
      limits.push(named)
      continue
    }
    for (const model of [name.model, ALL_MODELS]) {
      const slot = slotOf(state.series, { ...name, model }, ms)
      const known = bySlot.get(slot)
      if (known === undefined) bySlot.set(slot, [...numbers])
      else known.push(...numbers)
    }
  }
  // Single models first: what they tell is not told again for all of them.
  const isPooled = (slot: number): number =>
    state.series.names[slot]!.model === ALL_MODELS ? 1 : 0
  const drafts = [...bySlot]
    .toSorted(([a], [b]) => isPooled(a) - isPooled(b))
    .flatMap(([slot, numbers]) =>
      judge(state, slot, { own: { groups: state.running, numbers }, ms })
    )
  const near = new Set(limits.flatMap((named) => countNear(state, named, ms)))
  return [...drafts, ...[...near].flatMap((slot) => tellNear(state, slot, ms))]
}

type Step = { own: Own; ms: number }

const judge = (state: State, slot: number, step: Step): Draft[] => {
  const { series, settings } = state
  const { ms } = step
  const d = series.records.doubles
  const at = slot * SHAPE.doubles
  const outcome = judgeMinute(series, slot, step, settings)
  if (!state.open.has(slot) && isTold(state, slot)) {
    // A change of the mix of models is told by the models.
    if (outcome === 'changed') adopt(series, slot)
    return []
  }
  if (outcome === 'changed') {
    const evidenceNats = changeEvidence(d, at)
    const before: Before = {
      kind: 'changed',
      drift: driftOf(usualOf(series, slot)),
      sums: sumsBefore(state, slot),
      name: null
    }
    adopt(series, slot)
    return change(state, slot, { before, ms, evidenceNats })
  }
  if (state.open.has(slot)) return correct(state, slot, ms)
  if (outcome !== 'drifts') return []
  const { lowPct, highPct } = driftOf(usualOf(series, slot))
  const isBeyond = lowPct > 100 * settings.driftMin || highPct < -100 * settings.driftMin
  // Most calls may be off by more than the limit while their middle is not surely so.
  if (!isBeyond) return []
  const evidenceNats = levelEvidence(d, at)
  return open(state, slot, { before: predecessor(state, slot), ms, evidenceNats })
}

/** Models with findings of their own that carry this share of the calls speak for the provider. */
const TOLD_SHARE = 0.5

/** Whether a pooled series says nothing that its models don't: always so when it has only one. */
const isTold = ({ series, open: known }: State, slot: number): boolean => {
  const pooled = series.names[slot]!
  if (pooled.model !== ALL_MODELS) return false
  const d = series.records.doubles
  let models = 0
  let told = 0
  for (const [other, name] of series.names.entries()) {
    if (other === slot || !isSameText(name, pooled) || name.tokenizer !== pooled.tokenizer) continue
    models += 1
    if (known.has(other)) told += d[other * SHAPE.doubles + T.calls]!
  }
  return models < 2 || told >= TOLD_SHARE * d[slot * SHAPE.doubles + T.calls]!
}

const isSameText = (one: SeriesName, other: SeriesName): boolean =>
  (['provider', 'script', 'side'] as const).every((key) => one[key] === other[key])

const sumsBefore = ({ series }: State, slot: number) => sumsOf(series, slot, T.since)

/** A finding is told again when its interval has proved wrong, or could be half as wide. */
const TELL_AGAIN = 4

const correct = (state: State, slot: number, ms: number): Draft[] => {
  const known = state.open.get(slot)
  if (known === undefined) return []
  const { medianPct } = driftOf(usualOf(state.series, slot))
  const { calls } = sumsOf(state.series, slot)
  const { after } = known
  const isCovered =
    medianPct >= Number(after['drift_low_pct']) && medianPct <= Number(after['drift_high_pct'])
  if (isCovered && calls < TELL_AGAIN * Number(after['calls'])) return []
  const draft = again(state, slot, { known, ms })
  state.open.set(slot, draft)
  return [draft]
}

type Told = { before: Before; ms: number; evidenceNats: number }

const open = (state: State, slot: number, told: Told): Draft[] => {
  const draft = findingOf(state, slot, told)
  state.open.set(slot, draft)
  return [draft]
}

/** After a change the old statement ends, and a new one begins unless the counts now agree. */
const change = (state: State, slot: number, told: Told): Draft[] => {
  const known = state.open.get(slot)
  state.open.delete(slot)
  const ended = known === undefined ? [] : [resolvedDraft(known, told.ms, 'It changed.')]
  const { medianPct } = driftOf(usualOf(state.series, slot))
  if (Math.abs(medianPct) <= 100 * state.settings.driftMin && known !== undefined) return ended
  return [...ended, ...open(state, slot, told)]
}

const NOTHING: Before = {
  kind: 'standing',
  drift: { medianPct: 0, lowPct: 0, highPct: 0 },
  sums: null,
  name: null
}
/** Calls of the one replaced may still come in this long after the first of the new one. */
const OVERLAP_MS = 600_000
/** Conversations of the one replaced, so that its drift is known. */
const PREDECESSOR_CLUSTERS_MIN = 12

/** The model or tokenizer that this series replaced, when its drift was another. */
const predecessor = (state: State, slot: number): Before => {
  const { series, settings } = state
  const own = driftOf(usualOf(series, slot))
  let latest: { before: Before; lastMs: number } | null = null
  for (const [other, name] of series.names.entries()) {
    const kind = replacedBy(state, other, slot)
    if (kind === null) continue
    const drift = driftOf(usualOf(series, other))
    const isApart = own.lowPct > drift.highPct || own.highPct < drift.lowPct
    const isLarge = Math.abs(own.medianPct - drift.medianPct) >= 100 * settings.effectMin
    const lastMs = series.records.doubles[other * SHAPE.doubles + T.lastMs]!
    if (!isApart || !isLarge || (latest !== null && lastMs <= latest.lastMs)) continue
    latest = { before: { kind, drift, sums: sumsOf(series, other), name }, lastMs }
  }
  return latest?.before ?? NOTHING
}

const replacedBy = ({ series }: State, other: number, slot: number): Before['kind'] | null => {
  const [was, is] = [series.names[other]!, series.names[slot]!]
  const isPooled = was.model === ALL_MODELS || is.model === ALL_MODELS
  if (isPooled || !isSameText(was, is) || other === slot) return null
  const d = series.records.doubles
  const [a, b] = [other * SHAPE.doubles, slot * SHAPE.doubles]
  const isBefore =
    d[a + T.firstMs]! < d[b + T.firstMs]! && d[a + T.lastMs]! <= d[b + T.firstMs]! + OVERLAP_MS
  if (!isBefore || d[a + T.clusters]! < PREDECESSOR_CLUSTERS_MIN) return null
  return kindOf(was, is)
}

const kindOf = (was: SeriesName, is: SeriesName): Before['kind'] | null => {
  if (was.model === is.model) return 'tokenizer-change'
  return was.tokenizer === is.tokenizer ? 'model-change' : null
}

/** Counts calls whose local count fits the limit only without the margin; returns their series. */
const countNear = (state: State, { name, numbers }: Named, ms: number): number[] => {
  const { series, settings, running } = state
  const slot = slotOf(series, { ...name, side: 'in' }, ms)
  const margin = marginRatio(usualOf(series, slot), settings)
  const { doubles: g } = running.records
  const near = numbers.map(startOf).filter((at) => ratioOfBin(g[at + G.bin]!) <= margin)
  if (near.length === 0) return []
  const d = series.records.doubles
  for (const at of near) d[slot * SHAPE.doubles + T.nearLimit]! += g[at + G.n]!
  d[slot * SHAPE.doubles + T.nearLimitMs] = ms
  return [slot]
}

/** Says once that calls of an open finding come near their limit. */
const tellNear = (state: State, slot: number, ms: number): Draft[] => {
  const known = state.open.get(slot)
  if (known === undefined || Number(known.after['near_limit_calls']) > 0) return []
  const calls = state.series.records.doubles[slot * SHAPE.doubles + T.nearLimit]!
  const isUnder = Number(known.after['drift_median_pct']) > 0
  const draft: Draft = {
    ...known,
    severity: isUnder ? 'critical' : known.severity,
    detected_at: new Date(ms + MINUTE_MS).toISOString(),
    after: { ...known.after, near_limit_calls: calls },
    summary: `${known.summary} ${calls} calls came within that margin of their context limit.`
  }
  state.open.set(slot, draft)
  return [draft]
}

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** Once a day: findings about models and tokenizers that nobody uses any more. */
const endIdle = (state: State, ms: number): Draft[] => {
  const day = dayOf(ms)
  if (day === state.day) return []
  state.day = day
  const { series, settings, open: known } = state
  return [...known].flatMap(([slot, draft]) => {
    const lastMs = series.records.doubles[slot * SHAPE.doubles + T.lastMs]!
    if (ms - lastMs < settings.idleDays * DAY_MS) return []
    known.delete(slot)
    return [resolvedDraft(draft, ms, 'No longer in use.')]
  })
}
