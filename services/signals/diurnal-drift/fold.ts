import type { Columns, Draft, Minute } from '../define.ts'
import { alarmNats } from '../statistics/false-alarm-budget.ts'
import { expectedShare } from '../statistics/rise-baseline.ts'
import { riseChange } from '../statistics/rise-change.ts'
import { observeRise, riseNats, startRise, type RiseSettings } from '../statistics/rise-detector.ts'
import { R } from '../statistics/rise-record.ts'
import {
  forgetIdle,
  seriesOfTenant,
  slotOfRow,
  wordsOf,
  type Words
} from '../statistics/series-slots.ts'
import { clockShare, learnClock, shareByHour, WEEK_BINS } from './clock.ts'
import { changeDraft, iso, waveDraft } from './finding.ts'
import { learnStep, settleStep, slowStep } from './latency-step.ts'
import { loadFactor } from './load.ts'
import { measureOf } from './measure.ts'
import { SHAPE, takeCounts, touchSlot, type Counts, type State } from './state.ts'
import { settleWave, type Wave } from './wave.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
/** Nightly bets in a month: the windows of the wave's false-alarm budget. */
const DAYS_PER_MONTH = 30
const MINUTES_PER_MONTH = 43_200
/** Evidence up to which the clock learns, and below which a told wave is gone. */
const LEARN_NATS = 6
const GONE_NATS = 2

/** One closed minute: every share is judged against the worst that the clock explains. */
export const foldMinute = (state: State, { startMs, grains }: Minute): Draft[] => {
  for (const key of forgetIdle(state.slots, startMs)) {
    state.open.delete(key)
    state.waves.delete(key)
  }
  if (grains.window === undefined) return []
  const drafts: Draft[] = []
  gather(state, grains.window, startMs)
  const { minute } = state
  for (const slot of minute.touched) {
    const told = judge(state, slot, takeCounts(minute, slot), startMs)
    if (told !== NOTHING) drafts.push(...told)
  }
  minute.touched.length = 0
  return drafts
}

const gather = (state: State, columns: Columns, startMs: number): void => {
  const { slots } = state
  const { n, bad, step } = columns.measures
  const start = (fresh: number): void => startRise(slots.records, fresh, startMs)
  for (let row = 0; row < columns.rows; row++) {
    const slot = slotOfRow(slots, columns, row, start)
    const counts = touchSlot(state, slot)
    const cases = { n: n![row]!, bad: bad![row]!, step: step![row]! }
    const k = badCases(placeOf(slots.records.doubles, slot), cases)
    if (k === null) continue
    counts.n[slot]! += cases.n
    counts.k[slot]! += k
  }
}

type Place = { d: Float64Array; at: number }
const placeOf = (d: Float64Array, slot: number): Place => ({ d, at: slot * SHAPE.doubles })

/** Bad ones among a row's cases; null while it is being learned what is slow. */
const badCases = (
  { d, at }: Place,
  { n, bad, step }: { n: number; bad: number; step: number }
): number | null => {
  if (Number.isNaN(step)) return bad
  const slow = slowStep(d, at)
  if (slow !== null) return step > slow ? n : 0
  learnStep(d, at, step, n)
  return null
}

/** How the key of a series of latency ends: words need not be read back for every minute. */
const LATENCY_END_OF_KEY = '"latency"]'

/** What nearly every series has to say. */
const NOTHING: readonly Draft[] = []
const NO_SUMS = [0, 0, 0] as const

const judge = (state: State, slot: number, { n, k }: Counts, startMs: number): readonly Draft[] => {
  const { records } = state.slots
  const { d, at } = placeOf(records.doubles, slot)
  const isLatency = state.slots.keys[slot]!.endsWith(LATENCY_END_OF_KEY)
  if (isLatency && slowStep(d, at) === null) settleStep(d, at, startMs)
  if (n === 0) return NOTHING
  const wave = settleWave(records, slot, startMs, d[at + R.daysLearned]!)
  const drafts = wave === null ? NOTHING : judgeWave(state, slot, wave, startMs)
  const usual = expectedShare(records, slot, startMs)
  const load = loadFactor(records, slot, { n, ms: startMs })
  const clock = Math.max(usual, clockShare(records, slot, startMs) ?? 0) * load
  const tally = { n, k, sums: NO_SUMS, expected: clock }
  const limits = limitsFor(state, slot, { isLatency, startMs })
  const outcome = observeRise(records, slot, { tally, ms: startMs }, limits)
  const isQuiet = d[at + R.openMs] === 0 && riseNats(d, at) <= LEARN_NATS
  if (isQuiet) learnClock(records, slot, { n, k, ms: startMs })
  if (outcome === 'nothing') return drafts
  if (outcome === 'opened') return [...drafts, told(state, slot, clock, startMs)]
  if (outcome === 'accepted') forgetClock(state, slot)
  return [...drafts, ...closed(state, slot, startMs)]
}

const limitsFor = (
  { slots, settings, limitsOf }: State,
  slot: number,
  { isLatency, startMs }: { isLatency: boolean; startMs: number }
): RiseSettings => {
  const { d, at } = placeOf(slots.records.doubles, slot)
  const limits = limitsOf(seriesOfTenant(slots, slot))
  const isArmed = startMs - d[at + R.firstMs]! >= settings.armDays * DAY_MS
  return isArmed ? limits[isLatency ? 'latency' : 'quality'] : limits.learning
}

/** What is accepted as the new normal has a clock of its own. */
const forgetClock = ({ slots: { records } }: State, slot: number): void => {
  records.bytes.fill(0, slot * WEEK_BINS, (slot + 1) * WEEK_BINS)
}

const told = (state: State, slot: number, clock: number, startMs: number): Draft => {
  const { slots, open } = state
  const { d, at } = placeOf(slots.records.doubles, slot)
  const shares = shareByHour(slots.records, slot)
  const known = shares.filter((share) => !Number.isNaN(share))
  const draft = changeDraft({
    ...riseChange(slots.records, slot),
    words: wordsOf(slots, slot),
    clock,
    mean: known.reduce((sum, share) => sum + share, 0) / Math.max(1, known.length),
    shares,
    step: slowStep(d, at),
    detectedMs: startMs + MINUTE_MS,
    evidenceNats: riseNats(d, at),
    alongside: likeIt(open, wordsOf(slots, slot))
  })
  open.set(slots.keys[slot]!, draft)
  return draft
}

/** Findings of the same measure: on the tenant's other models, or of the model's other tenants. */
const likeIt = (
  told: ReadonlyMap<string, Draft>,
  [tenant, provider, model, what]: Words
): Draft[] =>
  [...told.values()].filter(
    (draft) =>
      draft.scope['what'] === what &&
      (draft.tenant === tenant ||
        (draft.scope['provider'] === provider && draft.scope['model'] === model))
  )

const closed = ({ slots, open }: State, slot: number, startMs: number): Draft[] => {
  const key = slots.keys[slot]!
  const draft = open.get(key)
  open.delete(key)
  return draft === undefined
    ? []
    : [{ ...draft, status: 'resolved', detected_at: iso(startMs + MINUTE_MS) }]
}

const judgeWave = (state: State, slot: number, wave: Wave, startMs: number): Draft[] => {
  const { slots, settings, waves } = state
  const words = wordsOf(slots, slot)
  if (!measureOf(words).isQuality) return []
  const key = slots.keys[slot]!
  const known = waves.get(key)
  if (known !== undefined) {
    if (wave.nats >= GONE_NATS) return []
    waves.delete(key)
    return [{ ...known, status: 'resolved', detected_at: iso(startMs) }]
  }
  const perMinute = alarmNats(settings.falseFindingsPerTenantMonth, seriesOfTenant(slots, slot))
  const alarm = perMinute - Math.log(MINUTES_PER_MONTH / DAYS_PER_MONTH)
  if (wave.nats < alarm || wave.badShare - wave.quietShare < settings.clockEffectMin) return []
  const draft = waveDraft(words, { wave, ms: startMs, alongside: likeIt(waves, words) })
  waves.set(key, draft)
  return [draft]
}
