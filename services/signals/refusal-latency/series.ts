import { observeRise, startRise, type RiseOutcome } from '../statistics/rise-detector.ts'
import { R, RISE_SHAPE } from '../statistics/rise-record.ts'
import { seriesOfTenant, slotOf, type Slots } from '../statistics/series-slots.ts'
import { addBurn, BURN_END } from './burn.ts'
import { riseSettings, type Settings } from './settings.ts'

/** One path (refusal or answer) of a route of a tenant: its budget, and who exceeds it. */

/** Behind the burn: traces, Σ ln ms and Σ (ln ms)² until the budget is learned, then the budget. */
const LEARNED = BURN_END
const LOG_SUM = BURN_END + 1
const LOG_SQUARES = BURN_END + 2
const BUDGET_MS = BURN_END + 3
/** Evidence that refusals are slower than nearly all answers. */
const SLOW_NATS = BURN_END + 4
export const SHAPE = { ...RISE_SHAPE, doubles: BURN_END + 5 }

export type PathName = { tenant: string; route: string | null; path: 'refusal' | 'answer' }

export const pathSlot = (slots: Slots, { tenant, route, path }: PathName, ms: number): number =>
  slotOf(slots, [tenant, route, path], (slot) => startRise(slots.records, slot, ms))

/** Normal quantile of 95 %. */
const P95_SD = 1.645

/** Budget in milliseconds; null while it is being learned from what traces take. */
export const budgetOf = (slots: Slots, slot: number, settings: Settings): number | null => {
  if (settings.budgetMs > 0) return settings.budgetMs
  const budget = slots.records.doubles[slot * SHAPE.doubles + BUDGET_MS]!
  return budget > 0 ? budget : null
}

export const learnBudget = (slots: Slots, slot: number, ms: number, settings: Settings): void => {
  const d = slots.records.doubles
  const at = slot * SHAPE.doubles
  if (d[at + BUDGET_MS]! > 0) return
  const log = Math.log(Math.max(1, ms))
  d[at + LEARNED]! += 1
  d[at + LOG_SUM]! += log
  d[at + LOG_SQUARES]! += log * log
  const n = d[at + LEARNED]!
  if (n < settings.learnTraces) return
  const mean = d[at + LOG_SUM]! / n
  const sd = Math.sqrt(Math.max(0, d[at + LOG_SQUARES]! / n - mean * mean))
  d[at + BUDGET_MS] = Math.ceil(settings.budgetFactor * Math.exp(mean + P95_SD * sd))
}

/** Traces of one minute, those over budget, Σ of their times and cost. */
export type Tally = { n: number; slow: number; ms: number; costPico: number }

export const observePath = (
  slots: Slots,
  slot: number,
  { tally, ms }: { tally: Tally; ms: number },
  settings: Settings
): RiseOutcome => {
  addBurn(slots.records.doubles, slot * SHAPE.doubles, { ms, n: tally.n, slow: tally.slow })
  const sums = [tally.ms, tally.costPico, 0] as const
  return observeRise(
    slots.records,
    slot,
    { tally: { n: tally.n, k: tally.slow, sums }, ms },
    riseSettings(settings, seriesOfTenant(slots, slot))
  )
}

export const isOpen = ({ records }: Slots, slot: number): boolean =>
  records.doubles[slot * SHAPE.doubles + R.openMs]! > 0

/** Share of slow refusals that the bet is on. */
const SLOW_BET = 0.5

/** What one refusal says about whether refusing takes longer than nearly all answers. */
export const addRefusal = (
  { records }: Slots,
  slot: number,
  isSlow: boolean,
  { usual, natsMax }: { usual: number; natsMax: number }
): number => {
  const nats = isSlow ? Math.log(SLOW_BET / usual) : Math.log((1 - SLOW_BET) / (1 - usual))
  const place = slot * SHAPE.doubles + SLOW_NATS
  const sum = Math.max(0, records.doubles[place]! + nats)
  return (records.doubles[place] = Math.min(natsMax, sum))
}
