import type { Draft } from '../define.ts'
import { pack, RECORD_ARRAYS, recordArrays, recordsFrom, unpack } from '../statistics/checkpoint.ts'
import { DAY_ERROR_SHAPE } from '../statistics/day-error.ts'
import { createRates, RATE_SHAPE } from '../statistics/rate-record.ts'
import type { Records } from '../statistics/records.ts'
import { GAP_MINUTE_ARRAYS, restoreGapMinutes, savedGapMinutes } from './gap-minutes.ts'
import { restoreLedger, saveLedger } from './ledger.ts'
import { createPool, type Pool } from './pool.ts'
import type { PoolIncident } from './pool-incident.ts'
import { createSeries, seriesKey, type SeriesName, type SeriesState } from './series.ts'
import type { Settings } from './settings.ts'

/** All that the fold remembers, and how it becomes bytes and back. */

export type State = {
  settings: Settings
  series: SeriesState
  pools: Map<string, Pool>
  /** Reuse rates of pools, and which slot is whose. */
  reuse: Records
  poolSlots: Map<string, number>
  /** Caches whose tenants are losing, by pool. */
  incidents: Map<string, PoolIncident>
  /** Findings that are open, by identity of what they are about. */
  open: Map<string, Draft>
}

export const createState = (settings: Settings): State => ({
  settings,
  series: createSeries(),
  pools: new Map(),
  reuse: createRates(),
  poolSlots: new Map(),
  incidents: new Map(),
  open: new Map()
})

/** Raised whenever the meaning of a saved field changes: an older state then starts afresh. */
const VERSION = 7

type SavedPool = Pick<
  Pool,
  'name' | 'assumed' | 'aliveSeconds' | 'firstMinute' | 'lastMinute' | 'laddered'
> & { curves: number[][]; shift: number; tenants: [string, number][]; ringSize: number }

type SavedName = [SeriesName['level'], ...(string | null)[]]

type Header = {
  version: number
  seriesSize: number
  /** Level, tenant, provider, model, route, pool: words alone, as there are many. */
  names: SavedName[]
  slots: [string, number][]
  /** Of tenants with one leaf, which has no series of its own; the other leaves are in `names`. */
  onlyLeaves: [string, string][]
  tenantsOf: [number, number][]
  reuseSize: number
  poolSlots: [string, number][]
  pools: SavedPool[]
  incidents: [string, PoolIncident][]
  open: [string, Draft][]
}

export const saveState = (state: State): Uint8Array => {
  const { series, pools, reuse } = state
  const ledgers = [...pools.values()].map((pool) => saveLedger(pool.ledger, pool.lastMinute * 60))
  const header: Header = {
    version: VERSION,
    seriesSize: series.records.size,
    names: series.names.map(savedName),
    slots: [...series.slots].filter(([key, slot]) => key !== seriesKey(series.names[slot]!)),
    onlyLeaves: [...series.leaves].flatMap(([tenant, [first, ...rest]]) =>
      first === undefined || rest.length > 0 ? [] : [[tenant, first] as [string, string]]
    ),
    tenantsOf: [...series.tenantsOf],
    reuseSize: reuse.size,
    poolSlots: [...state.poolSlots],
    pools: [...pools.values()].map((pool, index) => savedPool(pool, ledgers[index]!.shift)),
    incidents: [...state.incidents],
    open: [...state.open]
  }
  const arrays = [...pools.values()].flatMap((pool, index) => [
    ledgers[index]!.entries,
    pool.gaps.hits,
    pool.gaps.misses,
    ...savedGapMinutes(pool.gapMinutes),
    ...recordArrays(pool.ring)
  ])
  const records = [series.records, series.days, reuse].flatMap(recordArrays)
  return pack(header, [...records, ...arrays])
}

const savedName = ({ level, tenant, provider, model, route, pool }: SeriesName): SavedName => [
  level,
  tenant,
  provider,
  model,
  route,
  pool
]

const restoreName = ([level, tenant, provider, model, route, pool]: SavedName): SeriesName => ({
  level,
  tenant: tenant ?? null,
  provider: provider ?? null,
  model: model ?? null,
  route: route ?? null,
  pool: pool ?? null
})

/** Leaves got their series in the order in which they are remembered. */
const restoreLeaves = (
  names: readonly SeriesName[],
  onlyLeaves: Header['onlyLeaves']
): Map<string, string[]> => {
  const leaves = new Map(onlyLeaves.map(([tenant, leaf]) => [tenant, [leaf]]))
  for (const name of names) {
    if (name.level !== 'leaf') continue
    const tenant = name.tenant ?? ''
    const known = leaves.get(tenant) ?? []
    known.push(seriesKey(name))
    leaves.set(tenant, known)
  }
  return leaves
}

const savedPool = (pool: Pool, shift: number): SavedPool => ({
  name: pool.name,
  assumed: pool.assumed,
  aliveSeconds: pool.aliveSeconds,
  curves: [pool.served, ...pool.servedBefore].map((curve) => Array.from(curve)),
  firstMinute: pool.firstMinute,
  lastMinute: pool.lastMinute,
  laddered: pool.laddered,
  shift,
  tenants: [...pool.tenants],
  ringSize: pool.ring.size
})

export const restoreState = (saved: Uint8Array, settings: Settings): State => {
  const { header, arrays } = unpack(saved) as { header: Header; arrays: Float64Array[] }
  const state = createState(settings)
  if (header.version !== VERSION) return state
  const { series } = state
  series.records = recordsFrom(RATE_SHAPE, header.seriesSize, arrays.splice(0, RECORD_ARRAYS))
  series.days = recordsFrom(DAY_ERROR_SHAPE, header.seriesSize, arrays.splice(0, RECORD_ARRAYS))
  series.names = header.names.map(restoreName)
  series.slots = new Map(series.names.map((name, slot) => [seriesKey(name), slot]))
  for (const [key, slot] of header.slots) series.slots.set(key, slot)
  series.leaves = restoreLeaves(series.names, header.onlyLeaves)
  series.tenantsOf = new Map(header.tenantsOf)
  state.reuse = recordsFrom(RATE_SHAPE, header.reuseSize, arrays.splice(0, RECORD_ARRAYS))
  state.poolSlots = new Map(header.poolSlots)
  for (const pool of header.pools) state.pools.set(pool.name, restorePool(pool, arrays))
  state.incidents = new Map(header.incidents)
  state.open = new Map(header.open)
  return state
}

/** Takes the pool's arrays off the front of what is left. */
const restorePool = (saved: SavedPool, arrays: Float64Array[]): Pool => {
  const pool = createPool(saved.name, saved.assumed, saved.firstMinute)
  const [entries, hits, misses] = arrays.splice(0, 3)
  pool.gapMinutes = restoreGapMinutes(arrays.splice(0, GAP_MINUTE_ARRAYS))
  pool.ledger = restoreLedger(saved.shift, Uint32Array.from(entries ?? []))
  pool.gaps = { hits: hits ?? pool.gaps.hits, misses: misses ?? pool.gaps.misses }
  pool.ring = recordsFrom(pool.ring.shape, saved.ringSize, arrays.splice(0, RECORD_ARRAYS))
  pool.tenants = new Map(saved.tenants)
  pool.aliveSeconds = saved.aliveSeconds
  const [served = pool.served, ...before] = saved.curves
  pool.served = served
  pool.servedBefore = before
  pool.lastMinute = saved.lastMinute
  pool.laddered = saved.laddered
  return pool
}
