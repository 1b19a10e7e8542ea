import type { Draft, Minute } from '../define.ts'
import { forgetIdle, seriesOfTenant, slotOfRow, wordsOf } from '../statistics/series-slots.ts'
import { driftDraft } from './finding.ts'
import { rankedList, type RankedList } from './ranked-list.ts'
import { observeList, startAnew } from './series.ts'
import type { Served, State } from './state.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

/** One closed minute: every rerank step is judged against what its index usually gives. */
export const foldMinute = (state: State, { startMs, grains }: Minute): Draft[] => {
  for (const key of forgetIdle(state.slots, startMs)) {
    state.served.delete(key)
    state.open.delete(key)
  }
  const drafts = acceptOld(state, startMs)
  const columns = grains.traces
  for (let row = 0; row < (columns?.rows ?? 0); row++) {
    const list = rankedList(columns!, row)
    if (list === null) continue
    const slot = slotOfRow(state.slots, columns!, row, () => undefined)
    drafts.push(...judge(state, slot, list, startMs + MINUTE_MS))
  }
  return drafts
}

/** After a day the new results are what is usual. */
const acceptOld = ({ open, settings }: State, startMs: number): Draft[] => {
  const drafts: Draft[] = []
  for (const [key, draft] of open) {
    const age = startMs - Date.parse(draft.detected_at)
    if (age < settings.acceptAfterHours * HOUR_MS) continue
    open.delete(key)
    drafts.push(resolved(draft, startMs, 'accepted as the new normal'))
  }
  return drafts
}

const resolved = (draft: Draft, ms: number, outcome: string): Draft => ({
  ...draft,
  status: 'resolved',
  detected_at: new Date(ms).toISOString(),
  after: { ...draft.after, outcome }
})

const judge = (state: State, slot: number, list: RankedList, detectedMs: number): Draft[] => {
  const { slots, settings, open } = state
  const key = slots.keys[slot]!
  const served = serve(state, key, list)
  const series = seriesOfTenant(slots, slot)
  if (!observeList(slots.records, slot, list, { settings, series })) return []
  const draft = driftDraft(slots.records, slot, {
    words: wordsOf(slots, slot),
    untilMs: list.ms,
    detectedMs,
    servedBefore: served.before,
    servedNow: served.now,
    servedSinceMs: served.sinceMs
  })
  startAnew(slots.records, slot)
  const old = open.get(key)
  if (old !== undefined && isBack(old, draft)) {
    open.delete(key)
    return [resolved(old, detectedMs, 'back to what it was')]
  }
  open.set(key, draft)
  const superseded = old === undefined ? [] : [resolved(old, detectedMs, 'changed again')]
  return [...superseded, draft]
}

/** Remembers the version that serves, and which one it replaced. */
const serve = ({ served }: State, key: string, { servedBy, ms }: RankedList): Served => {
  const known = served.get(key) ?? { now: servedBy, before: servedBy, sinceMs: ms }
  served.set(key, known)
  if (servedBy === known.now) return known
  const next = { now: servedBy, before: known.now, sinceMs: ms }
  served.set(key, next)
  return next
}

/** Share of the way that may be left, and of the old figure by which it may be missed. */
const BACK_LEFT = 0.25
const BACK_MISSED = 0.1

/** Whether the second change undoes the first, by the scores and the candidates. */
const isBack = (old: Draft, now: Draft): boolean =>
  ['top_score', 'fifth_score', 'candidates'].every((name) => {
    const [before, changed, after] = [old.before, old.after, now.after].map((side) => side[name])
    if (typeof before !== 'number' || typeof changed !== 'number' || typeof after !== 'number') {
      return true
    }
    const missed = Math.abs(after - before)
    if (changed === before) return missed <= BACK_MISSED * Math.abs(before)
    return (
      missed <= BACK_LEFT * Math.abs(changed - before) && missed <= BACK_MISSED * Math.abs(before)
    )
  })
