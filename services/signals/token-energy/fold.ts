import type { Columns, Draft, Minute } from '../define.ts'
import { strongestNats } from '../statistics/evidence.ts'
import { addRate, observeRate, type Outcome } from '../statistics/rate-detector.ts'
import { D, DROPS, RATE_SHAPE, SNAPSHOT, type Sample } from '../statistics/rate-record.ts'
import { addRecord } from '../statistics/records.ts'
import { endDraft, openDraft, type Fallen } from './finding.ts'
import { minutesOf, type Calls, type MinuteEnergy } from './minute.ts'
import { P, PROFILE_SHAPE, restartAt, SUMS, sumsFrom, WATCHES } from './profile.ts'
import { closeSeasonDay, learnSeason, seasonFactor, U, USUAL_SHAPE, type Energy } from './season.ts'
import { settingsAt } from './settings.ts'
import { profileSlot, seriesOf, usualBy, type Series, type State, type Tenant } from './state.ts'

/** Minutes from which the ratio of spent to expected joules is taken, before anything is judged. */
const USUAL_MINUTES = 60
/** Half-life of what a tenant usually runs: two days, so that the hour of day does not move it. */
const PROFILE_DECAY = 0.5 ** (1 / 2880)
/**
 * Evidence above which a minute teaches nothing about what is usual: as high as the baseline's own
 * bound, since to leave out all minutes above their mean would make what is usual too small.
 */
const SUSPEND_NATS = 6
/** The same on the first day, when a few minutes of a change would be much of what is known. */
const FIRST_DAY_SUSPEND_NATS = 0.5

/** One closed minute: work into joules, joules into efficiencies, those into findings. */
export const foldMinute = (state: State, { startMs: ms, grains }: Minute): Draft[] => {
  const { traces: columns } = grains
  if (columns === undefined) return []
  const rows = rowsOf(columns)
  const drafts: Draft[] = []
  for (let from = 0; from < columns.rows;) {
    const { tenant: name } = seriesOf(state, columns, from)
    const tenant = tenantOf(state, name, ms)
    const calls: Calls[] = []
    // Rows are in the order of tenants.
    for (; from < columns.rows; from++) {
      const series = seriesOf(state, columns, from)
      if (series.tenant !== name) break
      calls.push(readCalls(rows, from, series, profileSlot(state, tenant, series.deployment)))
    }
    drafts.push(...foldTenant(state, { name, tenant, calls, ms }))
  }
  return drafts
}

type Step = { name: string; tenant: Tenant; calls: readonly Calls[]; ms: number }

const foldTenant = (state: State, { name, tenant, calls, ms }: Step): Draft[] => {
  const minutes = minutesOf(state.pricing, usualBy(state, tenant), calls)
  const outcomes = minutes.map((minute, watch) => {
    const slot = tenant.watches[watch]!
    closeSeasonDay(state.usual, slot, ms)
    const sample = sampleOf(state, slot, minute, ms)
    if (sample === null) return 'nothing'
    const days = state.rates.doubles[slot * RATE_SHAPE.doubles + D.daysLearned]!
    return observeRate(state.rates, slot, { sample, ms }, settingsAt(state.rateSettings, days))
  })
  remember(state, tenant, { calls, minutes, ms })
  const drafts: Draft[] = []
  for (let watch = 0; watch < outcomes.length; watch++) {
    const draft = toldOf(state, { name, tenant, watch, ms }, outcomes[watch]!)
    if (draft !== null) drafts.push(draft)
  }
  return drafts
}

/** What is told of the outcome of a watch. */
const toldOf = (state: State, fallen: Fallen, outcome: Outcome): Draft | null => {
  const { tenant, watch, ms } = fallen
  if (outcome === 'opened') return (tenant.open[watch] = openDraft(state, fallen))
  if (outcome === 'accepted') startUsualAgain(state, tenant.watches[watch]!)
  const known = tenant.open[watch] ?? null
  if (known === null || outcome === 'nothing') return null
  tenant.open[watch] = null
  return endDraft(known, ms, outcome)
}

const tenantOf = (state: State, name: string, ms: number): Tenant => {
  const known = state.tenants.get(name)
  if (known !== undefined) return known
  const watches = WATCHES.map(() => {
    addRecord(state.usual)
    return addRate(state.rates, ms)
  })
  const tenant: Tenant = { watches, profiles: [], open: WATCHES.map(() => null) }
  state.tenants.set(name, tenant)
  return tenant
}

type Rows = {
  sums: Float64Array[]
  squares: Float64Array
  joules: Float64Array
  joulesN: Float64Array
}

const rowsOf = ({ measures }: Columns): Rows => ({
  sums: SUMS.map((name) => measures[name]!),
  squares: measures['squares']!,
  joules: measures['joules']!,
  joulesN: measures['joules_n']!
})

/** Sums over no call arrive as NaN. */
const orNone = (value: number): number => (Number.isNaN(value) ? 0 : value)

const readCalls = (rows: Rows, row: number, { deployment }: Series, slot: number): Calls => {
  const sums = sumsFrom((index) => orNone(rows.sums[index]![row]!))
  const joules = rows.joules[row]!
  const areRecorded = rows.joulesN[row] === sums.n && joules > 0
  return {
    slot,
    deployment,
    sums,
    recorded: areRecorded ? joules : null,
    squares: orNone(rows.squares[row]!)
  }
}

/** Steepness of the rate: a tenth more energy moves it as a tenth of all input uncached would. */
const STEEPNESS = 4

/**
 * Efficiency as a rate: of expected joules u and spent joules s it is u⁴ / (u⁴ + s⁴): 0.5 as usual,
 * 0.41 at 10 % more, 0.06 at twice the energy. So bounded, it needs no assumption about how wild
 * energy can be. Weights are u; the sums of s ride along as cost does elsewhere.
 */
const sampleOf = (
  state: State,
  slot: number,
  { n, kappa, spent, expected: estimated }: MinuteEnergy,
  ms: number
): Sample | null => {
  const d = state.usual.doubles
  const at = slot * USUAL_SHAPE.doubles
  if (d[at + U.minutes]! < USUAL_MINUTES) {
    d[at + U.minutes]! += 1
    d[at + U.spent]! += spent
    d[at + U.estimated]! += estimated
    return null
  }
  // Spent and expected may be off each other for good; what counts is that this changes.
  const scale = d[at + U.spent]! / d[at + U.estimated]!
  const expected = estimated * scale * seasonFactor(state.usual, slot, ms)
  if (!(expected > 0) || !(spent > 0)) return null
  const rate = 1 / (1 + (spent / expected) ** STEEPNESS)
  const ww = expected * expected * kappa
  return { n, w: expected, h: rate * expected, ww, x: rate * n, cost: spent }
}

type Past = { calls: readonly Calls[]; minutes: readonly MinuteEnergy[]; ms: number }

/** Keeps what the tenant runs: totals, their snapshots where evidence began, and the usual. */
const remember = (state: State, tenant: Tenant, { calls, minutes, ms }: Past): void => {
  const { doubles: d } = state.profiles
  const isCalm = learnMinutes(state, tenant, minutes, ms)
  for (const watch of tenant.watches.keys()) keepRestarts(state, tenant, watch, ms)
  for (const profile of tenant.profiles) {
    const usual = profile * PROFILE_SHAPE.doubles + P.usual
    if (isCalm) for (let i = 0; i < SUMS.length; i++) d[usual + i]! *= PROFILE_DECAY
  }
  for (const { slot, deployment, sums } of calls) {
    // Given away to another deployment of this minute, when there are too many.
    if (state.deployments[slot] !== deployment) continue
    const at = slot * PROFILE_SHAPE.doubles
    d[at + P.lastMs] = ms
    for (let i = 0; i < SUMS.length; i++) {
      const value = sums[SUMS[i]!]
      d[at + P.total + i]! += value
      if (isCalm) d[at + P.usual + i]! += value
    }
  }
}

/** Learns the time of day of each watch that is calm; returns whether all of them are. */
const learnMinutes = (
  state: State,
  tenant: Tenant,
  minutes: readonly Energy[],
  ms: number
): boolean => {
  let areCalm = true
  for (const [watch, slot] of tenant.watches.entries()) {
    const { doubles: rates } = state.rates
    const at = slot * RATE_SHAPE.doubles
    const suspendNats = rates[at + D.daysLearned] === 0 ? FIRST_DAY_SUSPEND_NATS : SUSPEND_NATS
    const isCalm = tenant.open[watch] === null && strongestNats(rates, at) <= suspendNats
    if (isCalm) learnSeason(state.usual, slot, minutes[watch]!, ms)
    else areCalm = false
  }
  return areCalm
}

/** Where the evidence of a drop left zero in this minute, what came before is kept. */
const keepRestarts = (state: State, tenant: Tenant, watch: number, ms: number): void => {
  const { doubles: d } = state.profiles
  const restarts = tenant.watches[watch]! * RATE_SHAPE.doubles + D.restarts
  for (let drop = 0; drop < DROPS.length; drop++) {
    if (state.rates.doubles[restarts + drop * SNAPSHOT] !== ms) continue
    for (const profile of tenant.profiles) {
      const from = profile * PROFILE_SHAPE.doubles
      const total = from + P.total
      d.copyWithin(from + restartAt(watch, drop), total, total + SUMS.length)
    }
  }
}

/** What lasted for a week is the new usual, around the clock. */
const startUsualAgain = ({ usual }: State, slot: number): void => {
  const at = slot * USUAL_SHAPE.doubles
  usual.doubles.fill(0, at, at + USUAL_SHAPE.doubles)
  usual.floats.fill(0, slot * USUAL_SHAPE.floats, (slot + 1) * USUAL_SHAPE.floats)
}
