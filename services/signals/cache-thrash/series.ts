import type { Columns } from '../define.ts'
import { addDayError, createDayErrors } from '../statistics/day-error.ts'
import { addRate } from '../statistics/rate-detector.ts'
import { createRates } from '../statistics/rate-record.ts'
import { copyRecord, type Records } from '../statistics/records.ts'

/**
 * The hit rates that are watched: every tenant as a whole, its models and routes once it has more
 * than one, and every model over all tenants. Rows of a minute are summed into all of them.
 */

export type Level = 'tenant' | 'leaf' | 'model'

export type SeriesName = {
  level: Level
  tenant: string | null
  provider: string | null
  model: string | null
  route: string | null
  pool: string | null
}

export type SeriesState = {
  records: Records
  /** How days stray from the baselines, in the same slots. */
  days: Records
  names: SeriesName[]
  slots: Map<string, number>
  /** Per tenant: the leaf keys seen, so that the first one is split off when a second comes. */
  leaves: Map<string, string[]>
  /** Tenants seen per model series. */
  tenantsOf: Map<number, number>
  scratch: Scratch
}

/** What lives for one run or one minute only. */
type Scratch = {
  /** Per series code of the grain and level: slot, -1 = none, -2 = not looked up. */
  slotOf: Int32Array
  /** Whether a tenant's first leaf has got a slot of its own since codes were looked up. */
  isSplit: boolean
  /** Per slot: how many series its tenant has, 0 = not counted since one came. */
  sizes: Int32Array
  /** Whether a series came since sizes were last forgotten: once a minute, since many may come. */
  isGrown: boolean
  sums: Float64Array
  touched: number[]
}

export const createSeries = (): SeriesState => ({
  records: createRates(),
  days: createDayErrors(),
  names: [],
  slots: new Map(),
  leaves: new Map(),
  tenantsOf: new Map(),
  scratch: {
    slotOf: new Int32Array(0),
    isSplit: false,
    sizes: new Int32Array(0),
    isGrown: false,
    sums: new Float64Array(0),
    touched: []
  }
})

/** Sums of a minute per series: n, w, h, ww, x_ppm, null_n, writes, cost_pico. */
export const SUMS = 8
const LEVELS = 3
const NONE = -1
const UNKNOWN = -2
/** A model's rate over fewer tenants than this is just those tenants. */
const MODEL_TENANTS_MIN = 3

/** Sums the rows of a minute into their series. */
export const gatherMinute = (state: SeriesState, columns: Columns, ms: number): void => {
  resolveCodes(state, columns, ms)
  fitSums(state)
  const { slotOf } = state.scratch
  for (let row = 0; row < columns.rows; row++) {
    const code = columns.series[row]! * LEVELS
    for (let level = 0; level < LEVELS; level++) {
      const slot = slotOf[code + level]!
      if (slot >= 0) addRow(state.scratch, slot, columns.measures as Row, row)
    }
  }
}

const addRow = ({ sums, touched }: Scratch, slot: number, rows: Row, row: number): void => {
  const at = slot * SUMS
  if (sums[at]! === 0 && sums[at + 5]! === 0) touched.push(slot)
  sums[at]! += reported(rows.n[row]!)
  sums[at + 1]! += reported(rows.w[row]!)
  sums[at + 2]! += reported(rows.h[row]!)
  sums[at + 3]! += reported(rows.ww[row]!)
  sums[at + 4]! += reported(rows.x_ppm[row]!)
  sums[at + 5]! += reported(rows.null_n[row]!)
  sums[at + 6]! += reported(rows.writes[row]!)
  sums[at + 7]! += reported(rows.cost_pico[row]!)
}

/** A sum leaves out what is not reported. */
const reported = (value: number): number => (value === value ? value : 0)

type Row = Record<
  'n' | 'null_n' | 'w' | 'h' | 'ww' | 'x_ppm' | 'writes' | 'cost_pico',
  Float64Array
>

const fitSums = (state: SeriesState): void => {
  const { scratch, records } = state
  if (scratch.isGrown) scratch.sizes.fill(0)
  scratch.isGrown = false
  if (scratch.sums.length >= records.size * SUMS) return
  scratch.sums = new Float64Array(records.size * SUMS * 2)
  scratch.sizes = new Int32Array(records.size * 2)
}

const resolveCodes = (state: SeriesState, columns: Columns, ms: number): void => {
  const { scratch } = state
  const known = scratch.slotOf.length
  const needed = columns.keys.length * LEVELS
  if (known < needed) {
    const larger = new Int32Array(needed * 2).fill(UNKNOWN)
    larger.set(scratch.slotOf)
    scratch.slotOf = larger
  }
  resolveRows(state, columns, ms)
  if (!scratch.isSplit) return
  // Codes of first leaves were resolved to "none"; rows of this minute may lie before the split.
  scratch.isSplit = false
  scratch.slotOf.fill(UNKNOWN)
  resolveRows(state, columns, ms)
}

const resolveRows = (state: SeriesState, columns: Columns, ms: number): void => {
  const { scratch } = state
  for (let row = 0; row < columns.rows; row++) {
    const code = columns.series[row]!
    if (scratch.slotOf[code * LEVELS]! === UNKNOWN) resolveCode(state, columns, code, ms)
  }
}

const resolveCode = (state: SeriesState, columns: Columns, code: number, ms: number): void => {
  const { slotOf } = state.scratch
  const [tenant = null, provider = null, model = null, route = null, pool = null] =
    columns.keys[code]!
  const name: SeriesName = { level: 'tenant', tenant, provider, model, route, pool }
  const nothing = { provider: null, model: null, route: null, pool: null }
  const tenantSlot = slotFor(state, { level: 'tenant', tenant, ...nothing }, ms)
  const at = code * LEVELS
  slotOf[at] = tenantSlot
  slotOf[at + 2] = resolveModel(state, name, ms)
  slotOf[at + 1] = resolveLeaf(state, { ...name, level: 'leaf' }, tenantSlot, ms)
}

const resolveModel = (state: SeriesState, { provider, model }: SeriesName, ms: number): number => {
  if (model === null) return NONE
  const name: SeriesName = {
    level: 'model',
    tenant: null,
    provider,
    model,
    route: null,
    pool: null
  }
  return slotFor(state, name, ms)
}

/** Whether a series is judged on its own, or only remembered. */
export const isJudged = (state: SeriesState, slot: number): boolean =>
  state.names[slot]!.level !== 'model' || (state.tenantsOf.get(slot) ?? 0) >= MODEL_TENANTS_MIN

/** A model's series carries many tenants' traffic: it shares no tenant's budget. */
const MODEL_SERIES = 1

/** How many series share a budget with the one in this slot, itself included. */
export const seriesBeside = ({ scratch: { sizes }, names, leaves }: SeriesState, slot: number) => {
  const known = sizes[slot]!
  if (known > 0) return known
  const { level, tenant } = names[slot]!
  const own = level === 'model' ? MODEL_SERIES : (leaves.get(tenant ?? '')?.length ?? MODEL_SERIES)
  return (sizes[slot] = own === 1 ? 1 : own + 1)
}

/** The only leaf of a tenant is the tenant; its history is copied when a second leaf comes. */
const resolveLeaf = (
  state: SeriesState,
  name: SeriesName,
  tenantSlot: number,
  ms: number
): number => {
  const tenant = name.tenant ?? ''
  const key = seriesKey(name)
  const known = state.leaves.get(tenant) ?? []
  if (known.includes(key)) return state.slots.get(key) ?? NONE
  if (!known.some((other) => sameModel(other, key))) countTenant(state, name)
  known.push(key)
  state.leaves.set(tenant, known)
  state.scratch.isGrown = true
  if (known.length === 1) {
    state.names[tenantSlot] = { ...name, level: 'tenant' }
    return NONE
  }
  if (known.length === 2) splitFirstLeaf(state, known[0]!, tenantSlot)
  return slotFor(state, name, ms)
}

/** Leaf keys are JSON: level, tenant, provider, model, route, pool. */
const sameModel = (one: string, other: string): boolean => {
  const [a, b] = [one, other].map((key) =>
    (JSON.parse(key) as unknown[]).slice(2, 4).join('\u001f')
  )
  return a === b
}

const countTenant = (state: SeriesState, { provider, model }: SeriesName): void => {
  const key = modelKey(provider, model)
  const slot = state.slots.get(key)
  if (slot !== undefined) state.tenantsOf.set(slot, (state.tenantsOf.get(slot) ?? 0) + 1)
}

const modelKey = (provider: string | null, model: string | null): string =>
  JSON.stringify(['model', null, provider, model, null, null])

const splitFirstLeaf = (state: SeriesState, key: string, tenantSlot: number): void => {
  const first = state.names[tenantSlot]!
  const slot = copyRecord(state.records, tenantSlot)
  copyRecord(state.days, tenantSlot)
  state.names[slot] = { ...first, level: 'leaf' }
  state.slots.set(key, slot)
  state.names[tenantSlot] = { ...first, provider: null, model: null, route: null, pool: null }
  state.scratch.isSplit = true
}

const slotFor = (state: SeriesState, name: SeriesName, ms: number): number => {
  const key = seriesKey(name)
  const known = state.slots.get(key)
  if (known !== undefined) return known
  const slot = addRate(state.records, ms)
  addDayError(state.days)
  state.names[slot] = name
  state.slots.set(key, slot)
  return slot
}

/** The tenant's own key leaves out the names that it borrows from an only leaf. */
export const seriesKey = (name: SeriesName): string => {
  const { level, tenant, provider, model, route, pool } = name
  if (level === 'tenant') return JSON.stringify([level, tenant])
  return JSON.stringify([level, tenant, provider, model, route, pool])
}
