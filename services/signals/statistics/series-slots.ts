import type { Columns } from '../define.ts'
import type { Account } from './false-alarm-account.ts'
import { RECORD_ARRAYS, recordArrays, recordsFrom } from './checkpoint.ts'
import { addRecord, createRecords, type Records, type RecordShape } from './records.ts'

/**
 * Which record belongs to which series. A series that was idle for 40 days is forgotten, and its
 * record goes to the next new one, so memory follows what is alive.
 */

export type Slots = {
  records: Records
  /** Offset, in a record's doubles, of the time of the series' last window. */
  lastMs: number
  /** Key of each slot; empty where the slot is free. */
  keys: string[]
  slots: Map<string, number>
  /** Slots to give away again, the lowest last. */
  free: number[]
  /** Tenants, each the first word of its keys, and the tenant of each slot. */
  tenants: Map<string | null, Tenant>
  tenantOf: Tenant[]
  /** Day of the last look for idle series. */
  day: number
  /** Slot by series number of the run, −1 = not looked up. */
  ofCode: Int32Array
}

/** One object for all slots of a tenant; the account is kept by who spends from it. */
type Tenant = { name: string | null; series: number; account: Account | null }

/** A series without traffic for so long is forgotten: a month and some slack. */
const IDLE_DAYS_MAX = 40
const DAY_MS = 86_400_000
const UNKNOWN = -1

export const createSlots = (shape: RecordShape, lastMs: number): Slots => ({
  records: createRecords(shape),
  lastMs,
  keys: [],
  slots: new Map(),
  free: [],
  tenants: new Map(),
  tenantOf: [],
  day: 0,
  ofCode: new Int32Array(0)
})

export type Words = readonly (string | null)[]

export const wordsOf = (slots: Slots, slot: number): Words => JSON.parse(slots.keys[slot]!) as Words

/** The slot of a series; `isNew` runs once on a fresh record of zeros. */
export const slotOf = (slots: Slots, words: Words, isNew: (slot: number) => void): number => {
  const key = JSON.stringify(words)
  const known = slots.slots.get(key)
  if (known !== undefined) return known
  const slot = takeSlot(slots)
  slots.keys[slot] = key
  slots.slots.set(key, slot)
  joinTenant(slots, slot, words[0] ?? null)
  isNew(slot)
  return slot
}

/** The same by the number that a row carries, which is looked up once. */
export const slotOfRow = (
  slots: Slots,
  { series, keys }: Columns,
  row: number,
  isNew: (slot: number) => void
): number => {
  if (slots.ofCode.length < keys.length) growCodes(slots, keys.length)
  const code = series[row]!
  const known = slots.ofCode[code]!
  if (known !== UNKNOWN) return known
  return (slots.ofCode[code] = slotOf(slots, keys[code]!, isNew))
}

/** How many series the tenant of a slot has. */
export const seriesOfTenant = ({ tenantOf }: Slots, slot: number): number =>
  tenantOf[slot]?.series ?? 1

/** Tenants in the order of their first slots, which is the same after a restart. */
export const tenantsBySlot = ({ keys, tenantOf }: Slots): Tenant[] => [
  ...new Set(tenantOf.filter((_, slot) => keys[slot] !== ''))
]

const growCodes = (slots: Slots, length: number): void => {
  const larger = new Int32Array(2 * length).fill(UNKNOWN)
  larger.set(slots.ofCode)
  slots.ofCode = larger
}

const takeSlot = ({ records, free }: Slots): number => {
  const slot = free.pop()
  if (slot === undefined) return addRecord(records)
  const { doubles, floats, bytes, shape } = records
  doubles.fill(0, slot * shape.doubles, (slot + 1) * shape.doubles)
  floats.fill(0, slot * shape.floats, (slot + 1) * shape.floats)
  bytes.fill(0, slot * shape.bytes, (slot + 1) * shape.bytes)
  return slot
}

const joinTenant = ({ tenants, tenantOf }: Slots, slot: number, name: string | null): void => {
  const tenant = tenants.get(name) ?? { name, series: 0, account: null }
  tenants.set(name, tenant)
  tenant.series += 1
  tenantOf[slot] = tenant
}

const leaveTenant = ({ tenants, tenantOf }: Slots, slot: number): void => {
  const tenant = tenantOf[slot]!
  tenant.series -= 1
  if (tenant.series === 0) tenants.delete(tenant.name)
}

/** Once a day: forgets what was idle for long. Returns the keys that were forgotten. */
export const forgetIdle = (slots: Slots, ms: number): string[] => {
  const day = Math.floor(ms / DAY_MS)
  if (day === slots.day) return []
  slots.day = day
  const { doubles, shape } = slots.records
  const forgotten: string[] = []
  for (let slot = 0; slot < slots.keys.length; slot++) {
    const key = slots.keys[slot]!
    if (key === '' || doubles[slot * shape.doubles + slots.lastMs]! > ms - IDLE_DAYS_MAX * DAY_MS)
      continue
    leaveTenant(slots, slot)
    slots.slots.delete(key)
    slots.keys[slot] = ''
    slots.free.push(slot)
    forgotten.push(key)
  }
  if (forgotten.length === 0) return []
  slots.free.sort((a, b) => b - a)
  slots.ofCode.fill(UNKNOWN)
  return forgotten
}

export type SavedSlots = { keys: string[]; day: number }

export const saveSlots = ({ keys, day }: Slots): SavedSlots => ({ keys, day })

export const slotArrays = (slots: Slots) => recordArrays(slots.records)

/** Fills empty slots with what was saved; takes the records' arrays off the front of `arrays`. */
export const restoreSlots = (
  slots: Slots,
  { keys, day }: SavedSlots,
  arrays: Parameters<typeof recordsFrom>[2][number][]
): Slots => {
  slots.records = recordsFrom(slots.records.shape, keys.length, arrays.splice(0, RECORD_ARRAYS))
  slots.keys = keys
  slots.day = day
  for (const [slot, key] of keys.entries()) {
    if (key === '') slots.free.unshift(slot)
    else {
      slots.slots.set(key, slot)
      joinTenant(slots, slot, wordsOf(slots, slot)[0] ?? null)
    }
  }
  return slots
}
