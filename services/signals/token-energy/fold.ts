import type { Columns, Draft, Minute } from '../define.ts'
import { strongestNats } from '../statistics/evidence.ts'
import { addRate, observeRate, type Outcome } from '../statistics/rate-detector.ts'
import { RATE_SHAPE, type Sample } from '../statistics/rate-record.ts'
import { addRecord } from '../statistics/records.ts'
import { usualJoules } from './cause.ts'
import { collapseDraft, endDraft } from './finding.ts'
import {
  batchOf,
  joulesOf,
  P,
  PROFILE_SHAPE,
  SUMS,
  workOf,
  type Joules,
  type Sums
} from './profile.ts'
import { rateSettings } from './settings.ts'
import { profileSlot, U, usedBy, USUAL_SHAPE, type State, type Tenant } from './state.ts'

/** Minutes from which the ratio of spent to estimated joules is taken. */
const USUAL_MINUTES = 60
/** Half-life of what a tenant usually runs, in minutes with traffic. */
const PROFILE_DECAY = 0.5 ** (1 / 720)

/** One closed minute: work into joules, joules into an efficiency, that into findings. */
export const foldMinute = (state: State, { startMs, grains }: Minute): Draft[] => {
  const { traces } = grains
  if (traces === undefined) return []
  const byTenant = new Map<string, number[]>()
  for (let row = 0; row < traces.rows; row++) {
    const tenant = traces.keys[traces.series[row]!]![0] ?? ''
    const rows = byTenant.get(tenant)
    if (rows === undefined) byTenant.set(tenant, [row])
    else rows.push(row)
  }
  return [...byTenant].flatMap(([name, rows]) =>
    foldTenant(state, name, { columns: traces, rows, ms: startMs })
  )
}

type Step = { columns: Columns; rows: readonly number[]; ms: number }

const foldTenant = (state: State, name: string, step: Step): Draft[] => {
  const { rates, settings } = state
  const tenant = tenantOf(state, name, step.ms)
  const used = step.rows.map((row) => readRow(state, tenant, step.columns, row))
  const minute = addUp(used)
  const sample = sampleOf(state, tenant, minute)
  if (sample === null) return []
  const outcome = observeRate(rates, tenant.slot, { sample, ms: step.ms }, rateSettings(settings))
  const stands = strongestNats(rates.doubles, tenant.slot * RATE_SHAPE.doubles) > 0
  remember(state, tenant, { used, ms: step.ms, stands })
  return tell(state, { name, tenant, outcome, ms: step.ms })
}

const tenantOf = (state: State, name: string, ms: number): Tenant => {
  const known = state.tenants.get(name)
  if (known !== undefined) return known
  const tenant: Tenant = { slot: addRate(state.rates, ms), profiles: [], open: null }
  addRecord(state.usual)
  state.tenants.set(name, tenant)
  return tenant
}

type Row = { slot: number; sums: Sums; joules: Joules; squares: number }

const readRow = (state: State, tenant: Tenant, columns: Columns, row: number): Row => {
  const [, model, gpu, precision, gpus] = columns.keys[columns.series[row]!]!
  const deployment = {
    model: model ?? null,
    gpu: gpu ?? null,
    precision: precision ?? null,
    gpuCount: gpus == null ? null : Number(gpus)
  }
  const read = (name: string): number => {
    const value = columns.measures[name]![row]!
    return Number.isNaN(value) ? 0 : value
  }
  const sums = Object.fromEntries(SUMS.map((name) => [name, read(name)])) as Sums
  const each = joulesOf(deployment, batchOf(sums), workOf(sums))
  // Recorded joules count where every call has them; the estimate then says how they divide.
  const isRecorded = read('joules_n') === sums.n && read('joules') > 0
  const scale = isRecorded ? read('joules') / (each.input + each.output) : sums.n
  return {
    slot: profileSlot(state, tenant, deployment),
    sums,
    joules: { input: each.input * scale, output: each.output * scale },
    squares: read('squares')
  }
}

type Work = { n: number; input: number; out: number; joules: Joules; squares: number }

const addUp = (rows: readonly Row[]): Work => {
  const work: Work = {
    n: 0,
    input: 0,
    out: 0,
    joules: { input: 0, output: 0 },
    squares: 0
  }
  for (const { sums, joules, squares } of rows) {
    work.n += sums.n
    work.input += sums.uncached + sums.cached
    work.out += sums.out
    work.joules.input += joules.input
    work.joules.output += joules.output
    work.squares += squares
  }
  return work
}

/** Steepness of the rate: a tenth more energy moves it as far as a tenth of all cached tokens would. */
const STEEPNESS = 4

/**
 * Efficiency as a rate: of usual joules u for this minute's work and spent joules s it is
 * u⁴ / (u⁴ + s⁴): 0.5 as usual, 0.41 at 10 % more, 0.06 at twice the energy. So bounded, it needs no
 * assumption about how wild energy can be. Weights are u; the sums of s ride along as cost does
 * elsewhere. Null while nothing is known to be usual.
 */
const sampleOf = (state: State, tenant: Tenant, work: Work): Sample | null => {
  const d = state.usual.doubles
  const at = tenant.slot * USUAL_SHAPE.doubles
  const spent = work.joules.input + work.joules.output
  const estimate = expectedJoules(state, tenant, work) ?? spent
  if (d[at + U.minutes]! < USUAL_MINUTES) {
    d[at + U.minutes]! += 1
    d[at + U.spent]! += spent
    d[at + U.estimated]! += estimate
  }
  // Recorded joules may be off the estimate for good; what counts is that this changes.
  const expected = estimate * (d[at + U.spent]! / d[at + U.estimated]!)
  if (!(expected > 0) || !(spent > 0)) return null
  const rate = 1 / (1 + (spent / expected) ** STEEPNESS)
  const tokens = work.input + work.out
  return {
    n: work.n,
    w: expected,
    h: rate * expected,
    ww: (expected * expected * work.squares) / (tokens * tokens),
    x: rate * work.n,
    cost: spent
  }
}

/** What this minute's calls would take as the tenant usually runs them; null in its first minute. */
const expectedJoules = (state: State, tenant: Tenant, { n, input, out }: Work): number | null => {
  const used = usedBy(state, tenant)
  if (used.every(({ usual }) => usual.n === 0)) return null
  return n * usualJoules(used, { input: input / n, out: out / n })
}

/** Keeps what the tenant ran: as usual while nothing is suspected, and apart while something is. */
const remember = (
  state: State,
  tenant: Tenant,
  { used, ms, stands }: { used: readonly Row[]; ms: number; stands: boolean }
): void => {
  const d = state.profiles.doubles
  for (const slot of tenant.profiles) {
    const at = slot * PROFILE_SHAPE.doubles
    if (!stands) d.fill(0, at + P.recent, at + P.recent + SUMS.length)
    if (stands || tenant.open !== null) continue
    for (let i = 0; i < SUMS.length; i++) d[at + P.usual + i]! *= PROFILE_DECAY
  }
  for (const { slot, sums } of used) {
    const at = slot * PROFILE_SHAPE.doubles
    d[at + P.lastMs] = ms
    const side = stands ? P.recent : P.usual
    if (!stands && tenant.open !== null) continue
    for (const [index, name] of SUMS.entries()) d[at + side + index]! += sums[name]
  }
}

type Told = { name: string; tenant: Tenant; outcome: Outcome; ms: number }

const tell = (state: State, { name, tenant, outcome, ms }: Told): Draft[] => {
  if (outcome === 'opened') {
    const draft = collapseDraft(state, { name, tenant, ms })
    tenant.open = draft
    return draft === null ? [] : [draft]
  }
  if (outcome === 'accepted') startUsualAgain(state, tenant)
  const known = tenant.open
  if (known === null || outcome === 'nothing') return []
  tenant.open = null
  return [endDraft(known, ms, outcome)]
}

/** What lasted for a week is the new usual. */
const startUsualAgain = ({ usual }: State, { slot }: Tenant): void => {
  const at = slot * USUAL_SHAPE.doubles
  usual.doubles.fill(0, at, at + USUAL_SHAPE.doubles)
}
