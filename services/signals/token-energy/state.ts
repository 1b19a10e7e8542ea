import type { Columns, Draft } from '../define.ts'
import { pack, RECORD_ARRAYS, recordArrays, recordsFrom, unpack } from '../statistics/checkpoint.ts'
import { createRates, RATE_SHAPE } from '../statistics/rate-record.ts'
import { addRecord, createRecords, type Records } from '../statistics/records.ts'
import type { Used, Usual } from './cause.ts'
import { strongestDrop } from '../statistics/evidence.ts'
import {
  P,
  PROFILE_SHAPE,
  restartAt,
  sumsFrom,
  WATCHES,
  type Deployment,
  type Sums
} from './profile.ts'
import { Pricing } from './pricing.ts'
import { USUAL_SHAPE } from './season.ts'
import { watchSettings, type Settings, type WatchSettings } from './settings.ts'

/** All that the fold remembers, and how it becomes bytes and back. */

export type Tenant = {
  /** Slot of each watch: of its rate and of what is usual. */
  watches: number[]
  /** Slots of its deployments' profiles. */
  profiles: number[]
  /** Per watch: the finding that is open. */
  open: (Draft | null)[]
}

export type State = {
  settings: Settings
  /** Efficiency by tenant, and by the same slots what is usual. */
  rates: Records
  usual: Records
  tenants: Map<string, Tenant>
  profiles: Records
  /** Deployment of each profile. Equal ones are one object, so that its figures are found once. */
  deployments: Deployment[]
  known: Map<string, Deployment>
  /** What each series of the run stands for. */
  ofCode: Series[]
  pricing: Pricing
  rateSettings: WatchSettings
}

export type Series = { tenant: string; deployment: Deployment }

export const createState = (settings: Settings): State => ({
  settings,
  rateSettings: watchSettings(settings),
  pricing: new Pricing(),
  rates: createRates(),
  usual: createRecords(USUAL_SHAPE),
  tenants: new Map(),
  profiles: createRecords(PROFILE_SHAPE),
  deployments: [],
  known: new Map(),
  ofCode: []
})

const sharedDeployment = ({ known }: Pick<State, 'known'>, deployment: Deployment): Deployment => {
  const { model, gpu, precision, gpuCount } = deployment
  const key = JSON.stringify([model, gpu, precision, gpuCount])
  const shared = known.get(key) ?? deployment
  known.set(key, shared)
  return shared
}

/** What a row's series stands for, put together once a run. */
export const seriesOf = (state: State, { series, keys }: Columns, row: number): Series => {
  const code = series[row]!
  const known = state.ofCode[code]
  if (known !== undefined) return known
  const [tenant, model, gpu, precision, gpus] = keys[code]!
  const deployment = sharedDeployment(state, {
    model: model ?? null,
    gpu: gpu ?? null,
    precision: precision ?? null,
    gpuCount: gpus == null ? null : Number(gpus)
  })
  return (state.ofCode[code] = { tenant: tenant ?? '', deployment })
}

/** Deployments told apart per tenant; the idlest gives way. */
const DEPLOYMENTS_MAX = 12

export const profileSlot = (state: State, tenant: Tenant, deployment: Deployment): number => {
  const { profiles, deployments } = state
  const known = tenant.profiles.find((slot) => deployments[slot] === deployment)
  if (known !== undefined) return known
  const lastMs = (slot: number): number =>
    profiles.doubles[slot * PROFILE_SHAPE.doubles + P.lastMs]!
  const isFull = tenant.profiles.length >= DEPLOYMENTS_MAX
  const slot = isFull
    ? tenant.profiles.reduce((idlest, one) => (lastMs(one) < lastMs(idlest) ? one : idlest))
    : addRecord(profiles)
  if (!isFull) tenant.profiles.push(slot)
  const at = slot * PROFILE_SHAPE.doubles
  profiles.doubles.fill(0, at, at + PROFILE_SHAPE.doubles)
  deployments[slot] = deployment
  return slot
}

/** A stretch of a profile's sums. */
const readSums = ({ profiles }: State, slot: number, offset: number): Sums => {
  const at = slot * PROFILE_SHAPE.doubles + offset
  return sumsFrom((index) => profiles.doubles[at + index]!)
}

/** Everything that a tenant usually runs. */
export const usualBy = (state: State, tenant: Tenant): Usual[] =>
  tenant.profiles.map((profile) => ({
    deployment: state.deployments[profile]!,
    usual: readSums(state, profile, P.usual)
  }))

/** Everything that a tenant runs, as usual and since the change that a watch sees. */
export const usedBy = (state: State, tenant: Tenant, watch: number): Used[] => {
  const slot = tenant.watches[watch]!
  const restart = restartAt(watch, strongestDrop(state.rates.doubles, slot * RATE_SHAPE.doubles))
  return tenant.profiles.map((profile) => {
    const { doubles: d } = state.profiles
    const at = profile * PROFILE_SHAPE.doubles
    return {
      deployment: state.deployments[profile]!,
      usual: readSums(state, profile, P.usual),
      recent: sumsFrom((index) => d[at + P.total + index]! - d[at + restart + index]!)
    }
  })
}

/** Raised whenever the meaning of a saved field changes: an older state then starts afresh. */
const VERSION = 3

type Header = { version: number; tenants: [string, Tenant][]; deployments: Deployment[] }

export const saveState = ({ rates, usual, profiles, tenants, deployments }: State): Uint8Array => {
  const header: Header = { version: VERSION, tenants: [...tenants], deployments }
  return pack(header, [rates, usual, profiles].flatMap(recordArrays))
}

export const restoreState = (saved: Uint8Array, settings: Settings): State => {
  const { header, arrays } = unpack(saved)
  const { version, tenants, deployments } = header as Header
  if (version !== VERSION) return createState(settings)
  const take = (shape: Parameters<typeof recordsFrom>[0], size: number): Records =>
    recordsFrom(shape, size, arrays.splice(0, RECORD_ARRAYS))
  const known: State['known'] = new Map()
  return {
    ...createState(settings),
    rates: take(RATE_SHAPE, tenants.length * WATCHES.length),
    usual: take(USUAL_SHAPE, tenants.length * WATCHES.length),
    tenants: new Map(tenants),
    profiles: take(PROFILE_SHAPE, deployments.length),
    deployments: deployments.map((one) => sharedDeployment({ known }, one)),
    known
  }
}
