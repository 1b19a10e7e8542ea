import type { Columns, Draft, Minute } from '../define.ts'
import { strongestNats } from '../statistics/evidence.ts'
import { addRate, observeRate } from '../statistics/rate-detector.ts'
import { D, DROPS, RATE_SHAPE, SNAPSHOT, type Sample } from '../statistics/rate-record.ts'
import { addRecord } from '../statistics/records.ts'
import { cachedShareOf, mixJoules, usualWays, type Usual } from './cause.ts'
import { endDraft, openDraft } from './finding.ts'
import {
  batchOf,
  joulesOf,
  P,
  PROFILE_SHAPE,
  restartAt,
  SUMS,
  sumsFrom,
  WATCHES,
  workOf,
  type Deployment,
  type Sums
} from './profile.ts'
import { closeSeasonDay, learnSeason, seasonFactor, U, USUAL_SHAPE, type Energy } from './season.ts'
import { rateSettings } from './settings.ts'
import { profileSlot, seriesOf, usualBy, type State, type Tenant } from './state.ts'

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
export const foldMinute = (state: State, { startMs, grains }: Minute): Draft[] => {
  const { traces } = grains
  if (traces === undefined) return []
  const byTenant = new Map<string, number[]>()
  for (let row = 0; row < traces.rows; row++) {
    const { tenant } = seriesOf(state, traces, row)
    const rows = byTenant.get(tenant)
    if (rows === undefined) byTenant.set(tenant, [row])
    else rows.push(row)
  }
  return [...byTenant].flatMap(([name, rows]) =>
    foldTenant(state, name, { columns: traces, rows, ms: startMs })
  )
}

type Step = { columns: Columns; rows: readonly number[]; ms: number }

const foldTenant = (state: State, name: string, { columns, rows, ms }: Step): Draft[] => {
  const tenant = tenantOf(state, name, ms)
  const calls = rows.map((row) => readRow(state, tenant, columns, row))
  const minutes = minutesOf(state, tenant, calls)
  const outcomes = minutes.map((minute, watch) => {
    const slot = tenant.watches[watch]!
    closeSeasonDay(state.usual, slot, ms)
    const sample = sampleOf(state, slot, minute, ms)
    if (sample === null) return 'nothing'
    const days = state.rates.doubles[slot * RATE_SHAPE.doubles + D.daysLearned]!
    return observeRate(state.rates, slot, { sample, ms }, rateSettings(state.settings, days))
  })
  remember(state, tenant, { calls, minutes, ms })
  return outcomes.flatMap((outcome, watch) => {
    if (outcome === 'opened') {
      const draft = openDraft(state, { name, tenant, watch, ms })
      tenant.open[watch] = draft
      return draft === null ? [] : [draft]
    }
    if (outcome === 'accepted') startUsualAgain(state, tenant.watches[watch]!)
    const known = tenant.open[watch] ?? null
    if (known === null || outcome === 'nothing') return []
    tenant.open[watch] = null
    return [endDraft(known, ms, outcome)]
  })
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

/** Calls on one deployment: spent joules are recorded ones where every call has them. */
type Calls = {
  slot: number
  deployment: Deployment
  sums: Sums
  estimated: number
  spent: number
  squares: number
}

const readRow = (state: State, tenant: Tenant, columns: Columns, row: number): Calls => {
  const { deployment } = seriesOf(state, columns, row)
  const read = (name: string): number => {
    const value = columns.measures[name]![row]!
    return Number.isNaN(value) ? 0 : value
  }
  const sums = sumsFrom(read)
  const each = joulesOf(deployment, batchOf(sums), workOf(sums))
  const estimated = sums.n * (each.input + each.output)
  const isRecorded = read('joules_n') === sums.n && read('joules') > 0
  return {
    slot: profileSlot(state, tenant, deployment),
    deployment,
    sums,
    estimated,
    spent: isRecorded ? read('joules') : estimated,
    squares: read('squares')
  }
}

/** A minute's joules, and how much single calls weigh in them: Σ tokens² / (Σ tokens)². */
type MinuteEnergy = Energy & { kappa: number }

/** The minute as each watch sees it: spent against usual ways, and the mix against the usual one. */
const minutesOf = (state: State, tenant: Tenant, calls: readonly Calls[]): MinuteEnergy[] => {
  const used = usualBy(state, tenant)
  const bySlot = new Map<number, Usual>(tenant.profiles.map((slot, index) => [slot, used[index]!]))
  const sum = (of: (one: Calls) => number): number =>
    calls.reduce((total, one) => total + of(one), 0)
  const n = sum(({ sums }) => sums.n)
  const share = cachedShareOf(used)
  const ways = sum(
    ({ slot, sums, estimated }) => usualWays(bySlot.get(slot)!, sums, share) ?? estimated
  )
  const tokens = sum(({ sums }) => sums.uncached + sums.cached + sums.out)
  const kappa = sum(({ squares }) => squares) / (tokens * tokens)
  const mix = mixJoules(used, calls, share) ?? { spent: ways, expected: ways }
  const batches = {
    out_with_batch: sum(({ sums }) => sums.out_with_batch),
    out_per_batch: sum(({ sums }) => sums.out_per_batch),
    decode_tokens: sum(({ sums }) => sums.decode_tokens),
    decode_ms: sum(({ sums }) => sums.decode_ms)
  }
  return [
    { ...batches, n, kappa, spent: sum((one) => one.spent), expected: ways },
    // There a call counts as any other, however long.
    { ...batches, n, kappa: 1 / n, ...mix }
  ]
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
  for (const { slot, sums } of calls) {
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
