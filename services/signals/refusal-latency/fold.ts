import type { Columns, Draft, Minute } from '../define.ts'
import { riseChange } from '../statistics/rise-change.ts'
import { riseNats, type RiseOutcome } from '../statistics/rise-detector.ts'
import { alarmNats } from '../statistics/false-alarm-budget.ts'
import { forgetIdle, seriesOfTenant, wordsOf } from '../statistics/series-slots.ts'
import { burnRates } from './burn.ts'
import { criticalPath, type TracePath } from './critical-path.ts'
import { burnDraft, iso, slowerDraft } from './finding.ts'
import {
  addRefusal,
  budgetOf,
  isOpen,
  learnBudget,
  observePath,
  pathSlot,
  SHAPE,
  type PathName,
  type Tally
} from './series.ts'
import { addPayer, addStages, noTimes, type PathTimes } from './stages.ts'
import type { State } from './state.ts'
import { addSteps, takeQuiet, type OpenTrace } from './traces.ts'

const MINUTE_MS = 60_000
/** A trace that is over when minute M begins ended in minute M − 2. */
const BEHIND_MS = 120_000
const HOUR_MS = 3_600_000
/** Evidence that stands below this teaches what is usual. */
const USUAL_NATS = 3

/** Traces that are over into paths. */
export const beginMinute = (state: State, startMs: number): Draft[] => {
  for (const key of forgetIdle(state.slots, startMs)) {
    for (const map of [state.times, state.open, state.slower]) map.delete(key)
  }
  const begun: Begun = { startMs, learning: new Set(), paths: new Map() }
  const drafts: Draft[] = []
  takeQuiet(state.traces, startMs, (trace) => takeTrace(state, trace, begun, drafts))
  return drafts
}

/** Steps into traces. */
export const follow = (state: State, events: Columns): Draft[] => {
  addSteps(state.traces, events)
  return []
}

/** One closed minute: paths into findings. */
export const foldMinute = (state: State, { startMs }: Minute): Draft[] => {
  const { tallies } = state
  state.tallies = new Map()
  return [...tallies].flatMap(([slot, tally]) => judge(state, slot, tally, startMs))
}

/** A path's series while traces are taken: its name is looked up once. */
type Path = { name: PathName; slot: number; times: PathTimes }

type Begun = {
  startMs: number
  /** Series that had no budget when the minute began; all of its traces teach it. */
  learning: Set<number>
  /** By tenant, then by route: the paths of answers and of refusals. */
  paths: Map<string, Map<string | null, Partial<Record<PathName['path'], Path>>>>
}

const takeTrace = (state: State, trace: OpenTrace, begun: Begun, drafts: Draft[]): void => {
  const { slots, settings, tallies } = state
  const { startMs, learning } = begun
  const path = criticalPath(trace.steps)
  const { name, slot, times } = pathOf(state, trace, path.refused ? 'refusal' : 'answer', begun)
  const budget = budgetOf(slots, slot, settings)
  const nats = riseNats(slots.records.doubles, slot * SHAPE.doubles)
  addStages(times, path.stages, !isOpen(slots, slot) && nats < USUAL_NATS)
  if (path.refused) drafts.push(...compare(state, name, { path, slot, startMs }))
  if (budget === null || learning.has(slot)) {
    learning.add(slot)
    learnBudget(slots, slot, path.totalMs, settings)
    return
  }
  const over = path.totalMs - budget
  if (over > 0) addPayer(times, trace.user ?? 'unknown', over)
  const tally = tallies.get(slot) ?? { n: 0, slow: 0, ms: 0, costPico: 0 }
  tallies.set(slot, tally)
  tally.n += 1
  tally.slow += over > 0 ? 1 : 0
  tally.ms += path.totalMs
  tally.costPico += trace.costPico
}

const pathOf = (
  state: State,
  { tenant, route }: OpenTrace,
  path: PathName['path'],
  { startMs, paths }: Begun
): Path => {
  const routes = paths.get(tenant) ?? new Map<string | null, Partial<Record<typeof path, Path>>>()
  paths.set(tenant, routes)
  const known = routes.get(route) ?? {}
  routes.set(route, known)
  return (known[path] ??= findPath(state, { tenant, route, path }, startMs))
}

const findPath = ({ slots, times }: State, name: PathName, startMs: number): Path => {
  const slot = pathSlot(slots, name, startMs - BEHIND_MS)
  const key = slots.keys[slot]!
  const own = times.get(key) ?? noTimes()
  times.set(key, own)
  return { name, slot, times: own }
}

type Compared = { path: TracePath; slot: number; startMs: number }

/** A refusal against the time that nearly all answers of its route take. */
const compare = (state: State, name: PathName, { path, slot, startMs }: Compared): Draft[] => {
  const { slots, settings, slower, times } = state
  const answerKey = JSON.stringify([name.tenant, name.route, 'answer'])
  const answerSlot = slots.slots.get(answerKey)
  const budgetMs = answerSlot === undefined ? null : budgetOf(slots, answerSlot, settings)
  const answers = times.get(answerKey)
  if (budgetMs === null || answers === undefined) return []
  const alarm = alarmNats(settings.falseFindingsPerTenantMonth, seriesOfTenant(slots, slot))
  const usual = { usual: settings.slowRefusalsMin, natsMax: alarm + USUAL_NATS }
  const nats = addRefusal(slots, slot, path.totalMs > budgetMs, usual)
  const key = slots.keys[slot]!
  const known = slower.get(key)
  if (known !== undefined && nats === 0) {
    slower.delete(key)
    return [resolved(known, startMs)]
  }
  if (known !== undefined || nats < alarm) return []
  const draft = slowerDraft({
    words: wordsOf(slots, slot),
    budgetMs,
    times: times.get(key)!,
    answers,
    evidenceNats: nats,
    fromMs: startMs - HOUR_MS,
    toMs: startMs - BEHIND_MS + MINUTE_MS,
    detectedMs: startMs + MINUTE_MS
  })
  slower.set(key, draft)
  return [draft]
}

const resolved = (draft: Draft, startMs: number): Draft => ({
  ...draft,
  status: 'resolved',
  detected_at: iso(startMs + MINUTE_MS)
})

const judge = (state: State, slot: number, tally: Tally, startMs: number): Draft[] => {
  const { slots, settings, open } = state
  const key = slots.keys[slot]!
  const outcome = observePath(slots, slot, { tally, ms: startMs - BEHIND_MS }, settings)
  const known = open.get(key)
  if (known !== undefined) {
    if (isOver(outcome)) open.delete(key)
    return isOver(outcome) ? [resolved(known, startMs)] : []
  }
  if (!isOpen(slots, slot)) return []
  const burns = burnRates(slots.records.doubles, slot * SHAPE.doubles, settings.errorBudget)
  if (!burns.some(({ burning }) => burning)) return []
  const draft = tell(state, slot, { burns, startMs })
  open.set(key, draft)
  return [draft]
}

const isOver = (outcome: RiseOutcome): boolean => outcome === 'resolved' || outcome === 'accepted'

type Told = { burns: ReturnType<typeof burnRates>; startMs: number }

const tell = ({ slots, settings, times }: State, slot: number, { burns, startMs }: Told): Draft => {
  const words = wordsOf(slots, slot)
  const answers: PathTimes | undefined = times.get(JSON.stringify([words[0], words[1], 'answer']))
  return burnDraft({
    ...riseChange(slots.records, slot),
    words,
    budgetMs: budgetOf(slots, slot, settings) ?? 0,
    times: times.get(slots.keys[slot]!) ?? noTimes(),
    answers,
    detectedMs: startMs + MINUTE_MS,
    burns,
    evidenceNats: riseNats(slots.records.doubles, slot * SHAPE.doubles)
  })
}
