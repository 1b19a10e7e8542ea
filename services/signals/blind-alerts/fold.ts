import type { Columns, Draft, Minute } from '../define.ts'
import { perSeriesCount } from '../statistics/false-alarm-budget.ts'
import { riseChange } from '../statistics/rise-change.ts'
import { observeRise, riseNats, startRise, type RiseOutcome } from '../statistics/rise-detector.ts'
import { R } from '../statistics/rise-record.ts'
import { forgetIdle, seriesOfTenant, slotOfRow, wordsOf } from '../statistics/series-slots.ts'
import { addRecent, componentsOf, SHAPE } from './component.ts'
import { isExcess, iso, riseDraft } from './finding.ts'
import { readAlerts } from './forwarded.ts'
import { riseSettings } from './settings.ts'
import type { State } from './state.ts'

const MINUTE_MS = 60_000

/** One closed minute: failures by component, then what others' alerts say about the same minutes. */
export const foldMinute = (state: State, { startMs, grains }: Minute): Draft[] => {
  for (const key of forgetIdle(state.slots, startMs)) state.open.delete(key)
  const events = judge(state, grains.window, startMs)
  const drafts = events.flatMap(({ slot, outcome }) =>
    outcome === 'opened' ? opened(state, slot, startMs) : closed(state, slot, startMs)
  )
  return [...drafts, ...readAlerts(state, grains.traces, startMs)]
}

type Happened = { slot: number; outcome: Exclude<RiseOutcome, 'nothing'> }

const judge = (state: State, columns: Columns | undefined, startMs: number): Happened[] => {
  const { slots, settings } = state
  const happened: Happened[] = []
  if (columns === undefined) return happened
  const { n, failed, throttled, cost_pico: cost } = columns.measures
  const limitsOf = perSeriesCount((series) => riseSettings(settings, series))
  const start = (fresh: number): void => startRise(slots.records, fresh, startMs)
  for (let row = 0; row < columns.rows; row++) {
    const slot = slotOfRow(slots, columns, row, start)
    const calls = { n: n![row]!, failed: failed![row]!, throttled: throttled![row]! }
    addRecent(slots, slot, startMs, calls)
    const costPico = Number.isNaN(cost![row]!) ? 0 : cost![row]!
    const tally = { n: calls.n, k: calls.failed, sums: [costPico, 0, 0] as const }
    const limits = limitsOf(seriesOfTenant(slots, slot))
    const outcome = observeRise(slots.records, slot, { tally, ms: startMs }, limits)
    if (outcome !== 'nothing') happened.push({ slot, outcome })
  }
  return happened
}

/** The caller of what fails fails too: it is told only when none of its parts is to blame. */
const opened = (state: State, slot: number, startMs: number): Draft[] => {
  const { slots, settings, open } = state
  const key = slots.keys[slot]!
  const [tenant, kind] = wordsOf(slots, slot)
  const all = componentsOf(slots, tenant ?? '', startMs)
  const own = all.find((component) => component.slot === slot)
  if (own === undefined) return []
  const blamed = all.find((one) => one.kind !== 'agent' && isExcess(one, settings))
  if (kind === 'agent' && blamed !== undefined && isOpen(state, blamed.slot)) return []
  const { before, after } = riseChange(slots.records, slot)
  const draft = riseDraft(
    {
      component: own,
      all,
      before,
      after,
      detectedMs: startMs + MINUTE_MS,
      evidenceNats: riseNats(slots.records.doubles, slot * SHAPE.doubles)
    },
    settings
  )
  open.set(key, draft)
  return [draft]
}

const closed = ({ slots, open }: State, slot: number, startMs: number): Draft[] => {
  const key = slots.keys[slot]!
  const draft = open.get(key)
  if (draft === undefined) return []
  open.delete(key)
  return [{ ...draft, status: 'resolved', detected_at: iso(startMs + MINUTE_MS) }]
}

const isOpen = ({ slots }: State, slot: number): boolean =>
  slots.records.doubles[slot * SHAPE.doubles + R.openMs]! > 0
